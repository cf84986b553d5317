"""Takes the pictures that cameras and programs put into watched folders.

Listens to  snapshot.analyzed, snapshot.rejected
Says        snapshot.taken (by the intake)
Owns        the files in watched folders, and the results beside those that were taken
Safe to repeat because a file is removed or moved only after its picture is safe, the intake knows a
file that is read again by its dedupe key, and a result is the same file each time.
"""
