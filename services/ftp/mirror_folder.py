"""The folder of a mirror. Others may write to it: no link below it is followed, and no file of
theirs replaced. Other programs look here, so that files and folders are readable by all, whatever
the umask."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

PART = ".snapbus-part"
READABLE, ENTERABLE = 0o644, 0o755
DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})
"""Trouble of the disk, never of one name."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_PART = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK


class LeftOut(Exception):
    """This copy can't be written, and others can."""


class MirrorFolder:
    """Belongs to one thread. Methods raise OSError when nothing can be written now."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self) -> None:
        """Make it and the folders it is in, unless they are there."""
        for folder in (*reversed(self.root.parents), self.root):
            if not folder.exists():
                folder.mkdir()
                folder.chmod(ENTERABLE)

    def check(self) -> None:
        """Raise OSError when it is missing."""
        os.close(os.open(self.root, os.O_RDONLY | os.O_DIRECTORY))

    def write(
        self,
        path: Sequence[str],
        longer: str,
        ours: Container[str],
        content: IO[bytes],
        announce: Callable[[str], None],
    ) -> None:
        """Write a file. If another has its name that is not one of ``ours``, its name is made
        longer. ``announce`` is called with the path that it will have, just before. Raises
        LeftOut."""
        *folders, name = path
        with ExitStack() as opened:
            with self.of_one_name():
                inside = self._entered(opened, folders, make=True)
                name = _free(inside, path, longer, ours)
                opened.callback(_unlink, PART, inside)
                with os.fdopen(os.open(PART, _PART, READABLE, dir_fd=inside), "wb") as target:
                    _open_to_all(target.fileno(), READABLE)
                    shutil.copyfileobj(content, target, 1 << 20)
            announce("/".join((*folders, name)))
            with self.of_one_name():
                os.replace(PART, name, src_dir_fd=inside, dst_dir_fd=inside)

    def remove(self, path: str) -> None:
        """Remove a file, and the folders that are empty then; what is gone already, or is no file,
        is no trouble."""
        *folders, name = path.split("/")
        try:
            with ExitStack() as opened:
                os.unlink(name, dir_fd=self._entered(opened, folders, make=False))
        except OSError as error:
            if error.errno in DISK:
                raise
        with suppress(OSError), ExitStack() as opened:
            while folders:
                last = folders.pop()
                os.rmdir(last, dir_fd=self._entered(opened, folders, make=False))

    @contextmanager
    def of_one_name(self) -> Iterator[None]:
        """Raise LeftOut for an OSError, if it is no trouble of the disk and the folder takes
        another file."""
        try:
            yield
        except OSError as error:
            if error.errno in DISK or not self._takes_files():
                raise
            raise LeftOut(error.strerror or str(error)) from None

    def _takes_files(self) -> bool:
        try:
            with tempfile.TemporaryFile(dir=self.root):
                return True
        except OSError:
            return False

    def _entered(self, opened: ExitStack, folders: Sequence[str], *, make: bool) -> int:
        """A descriptor of the last folder."""
        inside = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        opened.callback(os.close, inside)
        for folder in folders:
            made = make and _made(folder, inside)
            inside = os.open(folder, _FOLDER, dir_fd=inside)
            opened.callback(os.close, inside)
            if made:
                _open_to_all(inside, ENTERABLE)
        return inside


def _free(inside: int, path: Sequence[str], longer: str, ours: Container[str]) -> str:
    *folders, name = path
    stem, _, ending = name.rpartition(".")
    for each in (name, f"{stem}-{longer}.{ending}"):
        if "/".join((*folders, each)) in ours:
            return each
        try:
            os.stat(each, dir_fd=inside, follow_symlinks=False)
        except FileNotFoundError:
            return each
    raise FileExistsError(errno.EEXIST, "others have files of this name")


def _made(folder: str, inside: int) -> bool:
    try:
        os.mkdir(folder, ENTERABLE, dir_fd=inside)
    except FileExistsError:
        return False
    return True


def _unlink(name: str, inside: int) -> None:
    with suppress(OSError):
        os.unlink(name, dir_fd=inside)


def _open_to_all(descriptor: int, mode: int) -> None:
    with suppress(PermissionError):  # a share that gives all files one owner and one mode
        os.fchmod(descriptor, mode)
