"""The detector: finds people and things in each picture.

Listens to  snapshot.taken
Says        snapshot.analyzed, or snapshot.rejected when the picture is not sound
Owns        nothing; the models are files that `task model` made
Safe to repeat because its result is only the events it returns, with ids fixed by their cause.
"""
