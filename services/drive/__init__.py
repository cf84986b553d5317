"""Files pictures where people look for them, and says so once the archive confirmed the checksum.

Listens to  snapshot.analyzed, snapshot.kept
Says        snapshot.archived, snapshot.skipped, snapshot.refiled
Owns        the archives
Safe to repeat because the path in the archive is fixed by the snapshot and the time zone of the
archive, and a file that is there with the right checksum is left as it is.
"""
