"""Files below a folder that others can write to, opened without following links.

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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from services.folder.destination import Destination
from shared.failpoint import reach

REJECTED = ".rejected"
_UNFINISHED = (".part", ".tmp", ".temp", ".filepart", ".partial", ".crdownload", ".jpg_", "~")
_CLAIMED = re.compile(r"\.taken-[0-9a-f]{32}")
"""A folder that a file is taken into to be removed; its name there is its own."""
_CLAIM_S = 60.0
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Replaced(Exception):
    """Under this name there is another file by now."""


@dataclass(frozen=True, slots=True)
class Version:
    """Identifies one state of a file's content."""

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

    def __init__(self, root: Path, others: Iterable[Path | None] = ()) -> None:
        """``others``: folders that may lie below, and are none of ours."""
        self.root = root
        self._others = {
            each.relative_to(root).as_posix()
            for each in others
            if each and each.is_relative_to(root)
        }

    def holds(self, path: str) -> bool:
        """Whether a file of this path is one of ours."""
        return not any(path.startswith(f"{each}/") for each in self._others)

    def identity(self) -> tuple[int, int]:
        """Device and inode of the folder."""
        status = self.root.stat()
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return status.st_dev, status.st_ino

    def oldest(self, limit: int, wanted: Callable[[Found], bool]) -> list[Found]:
        """The oldest of the wanted files, oldest first; no others are held in memory."""
        files = (found for found in self._walk() if wanted(found))
        return heapq.nsmallest(limit, files, key=lambda found: found.version.mtime_ns)

    @contextmanager
    def open(self, path: str) -> Iterator[Opened]:
        """Open a plain file. Raises OSError for everything else."""
        *folders, name = path.split("/")
        if not {"", ".", ".."}.isdisjoint((*folders, name)):
            raise OSError(errno.EINVAL, "not a path below the folder")
        with self._entered(folders) as folder:
            descriptor = os.open(name, _FILE, dir_fd=folder)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise OSError(errno.EINVAL, "not a plain file")
                yield Opened(path, descriptor, folder, status)
            finally:
                os.close(descriptor)

    @contextmanager
    def _entered(self, folders: Iterable[str]) -> Iterator[int]:
        """A descriptor of the last of these folders."""
        folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in folders:
                parent, folder = folder, os.open(part, _FOLDER, dir_fd=folder)
                os.close(parent)
            yield folder
        finally:
            os.close(folder)

    def remove(self, file: Opened) -> None:
        """Delete a file that was read. Raises Replaced when another one has taken its name."""
        with self._claimed(file) as claimed:
            os.unlink(file.name, dir_fd=claimed)
        reach("folder.removed")

    def move(self, file: Opened, destination: Destination, name: str, sha256: str) -> str:
        """Move a file that was read; returns its name there. Raises Replaced as ``remove`` does."""
        with self._claimed(file) as claimed:
            moved = destination.move(claimed, file.name, name, sha256)
        reach("folder.moved")
        return moved

    @contextmanager
    def _claimed(self, file: Opened) -> Iterator[int]:
        """Take it into a folder that nobody else writes to, and only then look whether it is that
        file; it is put back unless it leaves that folder. Its name stays, so that it has the same
        key if this process is killed now."""
        folder = f".taken-{uuid.uuid4().hex}"
        os.mkdir(folder, 0o700, dir_fd=file.folder)
        try:
            claimed = os.open(folder, _FOLDER, dir_fd=file.folder)
            try:
                os.rename(file.name, file.name, src_dir_fd=file.folder, dst_dir_fd=claimed)
                reach("folder.claimed")
                try:
                    _check_same(file, claimed)
                    yield claimed
                except (OSError, Replaced):
                    _put_back(file, claimed)
                    raise
            finally:
                os.close(claimed)
        finally:
            with suppress(OSError):  # what could not be put back is found there later
                os.rmdir(folder, dir_fd=file.folder)
            self._leave(file)

    def _leave(self, file: Opened) -> None:
        """Remove the folder of an earlier claim, if this file was the one in it."""
        above = file.path.rpartition("/")[0].rpartition("/")[2]
        if _CLAIMED.fullmatch(above):
            with suppress(OSError):
                os.rmdir(f"../{above}", dir_fd=file.folder)

    def _walk(self) -> Iterator[Found]:
        pending = [""]
        while pending:
            folder, empty = pending.pop(), True
            try:
                entries = os.scandir(self.root / folder)
            except FileNotFoundError:
                if not folder:
                    raise
                continue  # removed meanwhile
            with entries:
                for entry in entries:
                    empty = False
                    path = f"{folder}/{entry.name}" if folder else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if _is_entered(entry.name) and path not in self._others:
                            pending.append(path)
                    elif found := _found(entry, path):
                        yield found
            if empty:
                self._sweep(folder)

    def _sweep(self, folder: str) -> None:
        """Remove an empty folder if a process that was killed had claimed a file into it."""
        *above, name = folder.split("/")
        if _CLAIMED.fullmatch(name):
            with suppress(OSError), self._entered(above) as inside:
                if time.time() - os.lstat(name, dir_fd=inside).st_ctime > _CLAIM_S:
                    os.rmdir(name, dir_fd=inside)


def wanted_name(path: str) -> bool:
    """Whether a file of this name may be a finished picture; hidden ones are not."""
    if any(each.startswith(".") for each in path.split("/")):
        return False
    return not path.lower().endswith(_UNFINISHED)


def original(path: str) -> str:
    """The name a file had before it was claimed by a process that was killed then."""
    return "/".join(each for each in path.split("/") if not _CLAIMED.fullmatch(each))


def _is_entered(folder: str) -> bool:
    return not folder.startswith(".") or bool(_CLAIMED.fullmatch(folder))


def _check_same(file: Opened, claimed: int) -> None:
    """Raises Replaced."""
    status = os.stat(file.name, dir_fd=claimed, follow_symlinks=False)
    if (status.st_dev, status.st_ino) != (file.status.st_dev, file.status.st_ino) or (
        Version(status.st_mtime_ns, status.st_size) != file.version
    ):
        raise Replaced(file.path)


def _put_back(file: Opened, claimed: int) -> None:
    """Give it its place again. When that is taken, it is found in the other one later."""
    try:
        os.stat(file.name, dir_fd=file.folder, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(file.name, file.name, src_dir_fd=claimed, dst_dir_fd=file.folder)


def _found(entry: os.DirEntry[str], path: str) -> Found | None:
    if not wanted_name(entry.name) or not entry.is_file(follow_symlinks=False):
        return None
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    if path != original(path) and time.time() - status.st_ctime < _CLAIM_S:
        return None  # it is being removed just now
    return Found(path, Version(status.st_mtime_ns, status.st_size))
