"""Takes the pictures that cameras and programs put into watched folders.

Listens to  nothing
Says        snapshot.taken (by the intake)
Owns        the files in watched folders
Safe to repeat because a file is removed only after its picture is safe, and the intake knows a
file that is read again by its dedupe key.
"""
