"""Requests pictures at intervals, and finishes what other services left unfinished.

Listens to  nothing
Says        snapshot.requested
Owns        nothing
Safe to repeat because a request's id is fixed by camera and time slot, and finishing means
publishing events again that every receiver knows by their id.
"""
