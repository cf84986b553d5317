"""Takes the pictures that cameras push by FTP.

Listens to  nothing
Says        snapshot.taken (by the intake), camera.tested, camera.guessed
Owns        the FTP port and its sessions
Safe to repeat because a sender that was not answered sends again, and the intake knows the
picture by its dedupe key.
"""
