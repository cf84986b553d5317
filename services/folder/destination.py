"""A folder that taken files are moved to, and results written to. It is made; others may write to
it, so that no link in it is followed and no file in it replaced by another.

What is there already under a file's name makes its name longer by its hash, which is the same each
time: a repeat finds what it did.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from shared.failpoint import reach

RESULT = "_analysis.json"
REASON = "_reason.txt"
VISIBLE = 0o755
LONGEST = 200
"""Bytes of a name; what is added to it has room."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK = 1 << 20


class Destination:
    """Any thread; one call at a time for each file. Methods raise OSError. ``make``: the folder is
    made if only it is missing."""

    def __init__(self, root: Path, *, within: Path | None = None, make: bool = True) -> None:
        """``within``: the watched folder. If ``root`` lies below it, others can write there, and
        no link on the way to ``root`` is followed either."""
        self.root = root
        self._make = make
        below = within is not None and root.is_relative_to(within)
        self._top = within if within is not None and below else root
        self._way = root.relative_to(self._top).parts

    def move(self, folder: int, file: str, name: str, sha256: str) -> str:
        """Move ``file`` of an open folder here, as ``name``; returns its name here."""
        parts = clean(name)
        with self._entered(parts[:-1]) as here:
            last = _free(here, parts[-1], sha256)
            try:
                os.rename(file, last, src_dir_fd=folder, dst_dir_fd=here)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                _copy(folder, file, here, last)
                os.unlink(file, dir_fd=folder)
            os.fsync(here)
        return "/".join([*parts[:-1], last])

    def note(self, name: str, text: str) -> None:
        """Write why a file is here, beside it."""
        *folders, last = clean(name)
        with self._entered(folders) as here:
            _write(here, stem_of(last) + REASON, text.encode())

    def result(self, name: str, sha256: str, text: str) -> None:
        """Write the result of the picture of this name and hash."""
        *folders, last = clean(name)
        content = text.encode()
        with self._entered(folders) as here:
            result = stem_of(_named(here, last, sha256, content)) + RESULT
            reach("folder.before_result")
            if _content(here, result) != content:
                _write(here, result, content)
        reach("folder.result_written")

    @contextmanager
    def _entered(self, folders: Sequence[str]) -> Iterator[int]:
        """The folder below the root, opened and made name by name."""
        try:
            with suppress(FileExistsError):
                if self._make and not self._way:
                    self.root.mkdir()
                    self.root.chmod(VISIBLE)  # whatever the umask: people look here
            here = os.open(self._top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:  # not to be taken for a file that is gone
            raise OSError(errno.EIO, "this folder, or the one it is in, is missing") from None
        try:
            for each in (*self._way, *folders):
                parent, here = here, _enter(here, each)
                os.close(parent)
            yield here
        finally:
            os.close(here)


def _enter(parent: int, name: str) -> int:
    """Open a folder, made if it is missing; not through a link."""
    made = False
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
        made = True
    folder = os.open(name, _FOLDER, dir_fd=parent)
    if made:
        os.fchmod(folder, VISIBLE)
    return folder


def clean(name: str) -> list[str]:
    """The folders and the name of a file, out of what it was called: nothing hidden, nothing that
    leads elsewhere."""
    parts = [each.lstrip(".") for each in name.split("/")]
    cut = [os.fsencode(each.replace("\0", ""))[-LONGEST:] for each in parts if each]
    return [each.decode("utf-8", "replace") for each in cut] or ["picture"]


def stem_of(name: str) -> str:
    """The name of a file without its folders and its ending."""
    return PurePosixPath(clean(name)[-1]).stem


def _longer(name: str, sha256: str) -> str:
    path = PurePosixPath(name)
    return f"{path.stem}-{sha256[:8]}{path.suffix}"


def _free(here: int, name: str, sha256: str) -> str:
    """The name, unless another file has it."""
    return name if _hash(here, name) in ("", sha256) else _longer(name, sha256)


def _named(here: int, name: str, sha256: str, content: bytes) -> str:
    """What the picture is called here, or will be once it is moved."""
    longer = _longer(name, sha256)
    for each in (name, longer):
        if _hash(here, each) == sha256:
            return each
    taken = _hash(here, name) or _content(here, stem_of(name) + RESULT) not in (b"", content)
    return longer if taken else name


def _hash(here: int, name: str) -> str:
    """Of a file; empty: there is none. What is no plain file has none that a picture has."""
    try:
        descriptor = os.open(name, _READ, dir_fd=here)
    except FileNotFoundError:
        return ""
    except OSError:
        return "?"
    with os.fdopen(descriptor, "rb") as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:  # a folder
            return "?"


def _content(here: int, name: str) -> bytes:
    try:
        descriptor = os.open(name, _READ, dir_fd=here)
    except FileNotFoundError:
        return b""
    except OSError:
        return b"?"
    with os.fdopen(descriptor, "rb") as file:
        try:
            return file.read(_CHUNK)
        except OSError:
            return b"?"


def _write(here: int, name: str, content: bytes) -> None:
    part = f".{name}.part"
    with os.fdopen(os.open(part, _WRITE, 0o644, dir_fd=here), "wb") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(part, name, src_dir_fd=here, dst_dir_fd=here)
    os.fsync(here)


def _copy(folder: int, file: str, here: int, name: str) -> None:
    """To another volume."""
    part = f".{name}.part"
    with os.fdopen(os.open(file, _READ, dir_fd=folder), "rb") as source:
        status = os.fstat(source.fileno())
        with os.fdopen(os.open(part, _WRITE, 0o644, dir_fd=here), "wb") as copy:
            while chunk := source.read(_CHUNK):
                copy.write(chunk)
            copy.flush()
            os.utime(copy.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
            os.fsync(copy.fileno())
    os.rename(part, name, src_dir_fd=here, dst_dir_fd=here)
