"""The file of an SQLite database: whose it is, and where it may lie.

It belongs to one process: a lock file says which. It lies on a local disk: SQLite's write-ahead log
does not work over a network (sqlite.org/wal.html), and the locks of shares hold for few.
"""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path
from typing import IO

from shared.errors import ConfigError, RunsAlready

SHARES = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "fuse.sshfs")
MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(r"\\([0-7]{3})")


def claim(database: str | None, *, owner: bool, page: str = "") -> IO[str] | None:
    """The lock file, locked for the ``owner``; a tool beside it gets none. ``page`` is told to who
    comes later. Raises ConfigError."""
    if not database or database == ":memory:":
        raise ConfigError("journal.url: names no file; write sqlite:////path/to/snapbus.db")
    path = Path(database)
    if owner:
        return _lock(path, page)
    if not path.is_file():
        raise ConfigError(f"journal.url: there is no journal {path} yet; start Snapbus first")
    return None


def _lock(database: Path, page: str) -> IO[str]:
    path = database.with_name(database.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"journal.url: {path.parent} can't be written: {error.strerror}. "
            "Make the folder, or set 'data' to one that this user may write."
        ) from error
    if (kind := file_system(path.parent)) in SHARES:
        file.close()
        raise ConfigError(
            f"journal.url: {path.parent} is on a network share ({kind}), where SQLite may lose "
            "data. Set journal.url to a file on a local disk, or to a PostgreSQL database."
        )
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder, _, shown = file.read().strip().partition("\n")
        file.close()
        its_page = f", its page is at {shown}" if shown else ""
        raise RunsAlready(
            f"Snapbus runs already on {database.parent}: process {holder or 'unknown'}{its_page}. "
            "SQLite belongs to one process: stop that one first, or give this one another 'data' "
            "folder or a PostgreSQL database (journal.url)."
        ) from error
    file.truncate(0)
    file.write(f"{os.getpid()}\n{page}\n")
    file.flush()
    return file


def file_system(folder: Path) -> str:
    """The kind of file system that a folder is on; empty where the kernel does not say."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    place, depth, found = folder.resolve(), 0, ""
    for line in lines:
        # id parent device root MOUNT_POINT options [tags …] - KIND source options (proc(5))
        mount, _, after = line.partition(" - ")
        point = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), mount.split()[4]))
        if place.is_relative_to(point) and len(point.parts) >= depth:  # a later one hides the first
            depth, found = len(point.parts), after.split()[0]
    return found
