"""Fetches pictures from cameras that can be asked for one.

Listens to  snapshot.requested, snapshot.rejected
Says        snapshot.taken (by the intake), snapshot.shared or camera.failed; snapshot.requested for
            what turned out unsound
Owns        the cameras' connections; no tables
Safe to repeat because the request's id is the picture's dedupe key: a request that comes twice asks
the camera twice, but only the first picture becomes a snapshot.
"""
