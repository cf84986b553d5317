"""Files below one folder that anybody may write to, touched without being led astray.

Folders are entered and files opened one name at a time without following links; what is not a
plain file is left alone. A file is removed only if it still is the one that was read.
"""

from __future__ import annotations

import errno
import heapq
import os
import re
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from shared.failpoint import reach

REJECTED = ".rejected"
_UNFINISHED = (".part", ".tmp", ".temp", ".filepart", ".partial", ".crdownload", ".jpg_", "~")
_CLAIMED = re.compile(r"\.taken-[0-9a-f]{32}-(.+)$")
_CLAIM_S = 60.0
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Replaced(Exception):
    """Under this name there is another file by now."""


@dataclass(frozen=True, slots=True)
class Version:
    """What tells one content of a file from the next."""

    mtime_ns: int
    size: int


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a listing; ``path`` is relative to the folder."""

    path: str
    version: Version


@dataclass(frozen=True, slots=True)
class Opened:
    """An open file and the folder it was found in."""

    path: str
    descriptor: int
    folder: int
    status: os.stat_result

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def version(self) -> Version:
        return Version(self.status.st_mtime_ns, self.status.st_size)

    def changed(self) -> bool:
        """Whether it has been written to since it was opened."""
        status = os.fstat(self.descriptor)
        return Version(status.st_mtime_ns, status.st_size) != self.version


class Directory:
    """The files below ``root``. Belongs to one thread. Methods raise OSError."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def identity(self) -> tuple[int, int]:
        """Which folder stands under this name now."""
        status = self.root.stat()
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return status.st_dev, status.st_ino

    def oldest(self, limit: int, wanted: Callable[[Found], bool]) -> list[Found]:
        """At most so many of the wanted files, the oldest first; holds no more than these."""
        files = (found for found in self._walk() if wanted(found))
        return heapq.nsmallest(limit, files, key=lambda found: found.version.mtime_ns)

    @contextmanager
    def open(self, path: str) -> Iterator[Opened]:
        """Open a plain file. Raises OSError for everything else."""
        *folders, name = path.split("/")
        if not {"", ".", ".."}.isdisjoint((*folders, name)):
            raise OSError(errno.EINVAL, "not a path below the folder")
        folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in folders:
                parent, folder = folder, os.open(part, _FOLDER, dir_fd=folder)
                os.close(parent)
            descriptor = os.open(name, _FILE, dir_fd=folder)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise OSError(errno.EINVAL, "not a plain file")
                yield Opened(path, descriptor, folder, status)
            finally:
                os.close(descriptor)
        finally:
            os.close(folder)

    def remove(self, file: Opened) -> None:
        """Delete a file that was read. Raises Replaced when another one has taken its name."""
        os.unlink(self._claim(file), dir_fd=file.folder)
        reach("folder.removed")

    def set_aside(self, file: Opened) -> str:
        """Move a file to the rejected ones; returns its place there."""
        aside = self.root / REJECTED
        aside.mkdir(exist_ok=True)
        flat = file.path.replace("/", "_")[-200:]
        if (aside / flat).exists():
            flat = f"{uuid.uuid4().hex[:8]}_{flat}"
        claimed = self._claim(file)
        os.rename(claimed, aside / flat, src_dir_fd=file.folder)
        return f"{REJECTED}/{flat}"

    def _claim(self, file: Opened) -> str:
        """Give it a name that nobody writes to, and only then look whether it is that file."""
        claimed = f".taken-{uuid.uuid4().hex}-{original(file.name)[:180]}"
        os.rename(file.name, claimed, src_dir_fd=file.folder, dst_dir_fd=file.folder)
        reach("folder.claimed")
        status = os.stat(claimed, dir_fd=file.folder, follow_symlinks=False)
        if (status.st_dev, status.st_ino) != (file.status.st_dev, file.status.st_ino) or (
            Version(status.st_mtime_ns, status.st_size) != file.version
        ):
            with suppress(FileNotFoundError):
                # It stays under the other name, and is found there, when this one is taken again.
                os.stat(file.name, dir_fd=file.folder, follow_symlinks=False)
                raise Replaced(file.path)
            os.rename(claimed, file.name, src_dir_fd=file.folder, dst_dir_fd=file.folder)
            raise Replaced(file.path)
        return claimed

    def _walk(self) -> Iterator[Found]:
        pending = [""]
        while pending:
            folder = pending.pop()
            try:
                entries = os.scandir(self.root / folder)
            except FileNotFoundError:
                if not folder:
                    raise
                continue  # removed meanwhile
            with entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}" if folder else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if not entry.name.startswith("."):
                            pending.append(path)
                    elif found := _found(entry, path):
                        yield found


def wanted_name(path: str) -> bool:
    """Whether a file of this name may be a finished picture; hidden ones are not."""
    *folders, name = path.split("/")
    if any(folder.startswith(".") for folder in folders):
        return False
    if name.startswith("."):
        return bool(_CLAIMED.match(name))
    return not name.lower().endswith(_UNFINISHED)


def original(path: str) -> str:
    """The name a file had before it was claimed by a process that was killed then."""
    folder, slash, name = path.rpartition("/")
    claimed = _CLAIMED.match(name)
    return folder + slash + (claimed[1] if claimed else name)


def _found(entry: os.DirEntry[str], path: str) -> Found | None:
    if not wanted_name(entry.name) or not entry.is_file(follow_symlinks=False):
        return None
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    if entry.name.startswith(".") and time.time() - status.st_ctime < _CLAIM_S:
        return None  # it is being removed just now
    return Found(path, Version(status.st_mtime_ns, status.st_size))
