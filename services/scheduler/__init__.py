"""Asks for pictures when it is time, and carries through what others left undone.

Listens to  nothing
Says        snapshot.requested
Owns        nothing
Safe to repeat because a request's id is fixed by camera and time slot, and carrying through is
publishing again what every receiver knows by its id.
"""
