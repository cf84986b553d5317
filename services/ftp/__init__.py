"""Takes pictures that cameras push: by FTP, or into a watched folder.

Listens to  nothing
Says        snapshot.taken (by the intake), camera.tested
Owns        the FTP port; the files in watched folders
Safe to repeat because a sender that was not answered sends again, and the intake knows the
picture by its dedupe key; a file in a folder is removed only after the picture is safe.
"""
