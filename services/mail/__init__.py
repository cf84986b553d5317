"""Takes the pictures that cameras send by mail.

Listens to  nothing
Says        snapshot.taken (by the intake), camera.tested, camera.guessed
Owns        the SMTP ports and their sessions
Safe to repeat because a sender that was not answered sends again, and the intake knows the
picture by the mail's Message-ID, its place in the mail and its hash.
"""
