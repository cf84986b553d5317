"""The folder archive: ``<root>/YYYY/MM/DD/<camera>_<time>_<id>.jpg``, on a disk or a share."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from services.drive.archives.archive import MANIFEST, Archive, Entry, Filed, Filing, NotThere
from shared.errors import Reject, Retry, Unreachable
from shared.failpoint import reach
from shared.journal import Journal
from shared.service import Source
from shared.settings.archive import DriveSection
from shared.store.disk import sync_folder

MARKER = ".snapbus-archive"
INCOMING = ".incoming"
"""Folder of copies that are not proven yet."""
READABLE, ENTERABLE = 0o644, 0o755
"""An archive is for people, who need not be the user that files. All else is for that user only;
also an archive inside the data folder, which nobody else may enter unless it was made for it."""
LEFT_S = 3600.0
"""Copies older than this were left by a crash."""
CHUNK_BYTES = 1 << 20
_OF_THIS_FILE = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EISDIR, errno.ENOTDIR})
"""Errors of a name or a file; every other one says that the folder can't be used now."""


class FolderArchive:
    """Files below ``root``. Any thread; several may file the same snapshot."""

    def __init__(self, root: Path, name: str = "folder") -> None:
        self.name = name
        self.place = str(root.absolute())
        self._root = root

    def prepare(self, *, first: bool) -> None:
        """Make the folder and its marker the ``first`` time; later, a folder without marker is a
        mount point whose volume is missing. Raises OSError."""
        if first:
            self._make()
        for part in self._root.glob(f"{INCOMING}/*.part"):
            with suppress(FileNotFoundError):
                if part.stat().st_mtime < time.time() - LEFT_S:
                    part.unlink()

    def _make(self) -> None:
        """Make folder and marker; both are synced before the journal notes that they exist."""
        if not self._root.exists():
            _make(self._root)
            sync_folder(self._root.parent)
        if not any(self._root.iterdir()):
            (self._root / MARKER).touch()
        sync_folder(self._root)

    def file(self, filing: Filing) -> Filed:
        """Copy beside, sync, read back, compare, and only then take the final name."""
        with self._translated():
            target = self._path(filing.path)
            if not (target.is_file() and _sha256(target) == filing.sha256):
                with filing.source.open("rb") as source:
                    self._put(target, source, filing.sha256)
            # Also when it was there: who filed it may have died before the names were safe.
            self._sync_names(target)
            reach("drive.folder_synced")
            return Filed(filing.path)

    def days(self) -> Iterator[date]:
        with self._translated():
            found = [_day_of(each) for each in self._root.glob("[0-9]*/[0-9]*/[0-9]*")]
        yield from sorted(each for each in found if each)

    def day(self, day: date) -> Iterator[Entry]:
        with self._translated():
            top = self._folder(day)
            for folder, _, names in os.walk(top, onerror=_raise) if top.is_dir() else ():
                for name in names:
                    path = Path(folder, name)
                    if path != top / MANIFEST:
                        relative = path.relative_to(self._root).as_posix()
                        yield Entry(relative, path.lstat().st_size)

    def read(self, entry: Entry) -> Iterator[bytes]:
        with self._translated(), self._open(entry.path) as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def hold(self, entry: Entry, *, on: bool) -> None:
        """A folder removes nothing by itself."""

    def manifest(self, day: date) -> bytes:
        with self._translated():
            path = self._folder(day) / MANIFEST
            return path.read_bytes() if path.is_file() else b""

    def write_manifest(self, day: date, data: bytes) -> None:
        with self._translated():
            target = self._folder(day) / MANIFEST
            self._put(target, io.BytesIO(data), hashlib.sha256(data).hexdigest())
            self._sync_names(target)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Errors of the disk as those of archives, once the marker was seen."""
        self._check_mounted()
        try:
            yield
        except OSError as error:
            text = f"archive folder {self._root}: {error.strerror or error}"
            if error.errno in _OF_THIS_FILE:
                raise Retry(text) from error
            raise Unreachable(f"archive {self.name}", text) from error

    def _folder(self, day: date) -> Path:
        return self._root / f"{day:%Y}" / f"{day:%m}" / f"{day:%d}"

    def _path(self, relative: str) -> Path:
        """A path of the archive; manifests and listings may have been written by anybody."""
        parts = relative.split("/")
        if not all(parts) or {".", ".."} & set(parts) or "\0" in relative:
            raise Reject(f"{relative!r} is no path inside an archive")
        return self._root.joinpath(*parts)

    def _open(self, relative: str) -> BinaryIO:
        path = self._path(relative)
        if path.is_symlink() or not path.is_file():
            raise NotThere(f"archive {self.name} does not hold {relative}")
        return path.open("rb")

    def _put(self, target: Path, source: BinaryIO, sha256: str) -> None:
        _make(target.parent)
        incoming = self._root / INCOMING
        incoming.mkdir(exist_ok=True)
        part = incoming / f"{uuid.uuid4().hex}.part"
        try:
            self._copy(source, part)
            if _sha256(part) != sha256:
                raise Retry(f"{target.name}: the copy differs from the picture; it was removed")
            reach("drive.checked")
            part.replace(target)
            reach("drive.renamed")
        finally:
            part.unlink(missing_ok=True)

    def _copy(self, source: BinaryIO, part: Path) -> None:
        with part.open("wb") as copy:
            shutil.copyfileobj(source, copy, CHUNK_BYTES)
            copy.flush()
            _show(part, READABLE)
            reach("drive.part_written")
            os.fsync(copy.fileno())
            reach("drive.part_synced")

    def _sync_names(self, target: Path) -> None:
        for folder in target.parents:
            sync_folder(folder)
            if folder == self._root:
                return

    def _check_mounted(self) -> None:
        if not (self._root / MARKER).is_file():
            raise Unreachable(
                f"archive {self.name}",
                f"archive folder {self._root} lacks its marker {MARKER}: is the volume mounted? "
                "Create the empty file there if this is the right folder.",
            )

    def sources(self) -> Sequence[Source]:
        return ()

    def about(self) -> Mapping[str, Any]:
        if (self._root / MARKER).is_file():
            free = shutil.disk_usage(self._root).free // 2**30
            return {"ok": True, "summary": f"filing in {self._root}, {free} GiB free"}
        return {"ok": False, "summary": f"{self._root} is not there or lacks {MARKER}"}


def archive(name: str, section: DriveSection, data: Path, _journal: Journal) -> Archive:
    """The archive in the section's ``folder``, absolute or relative to the data folder."""
    return FolderArchive(data / section.folder, name)


def _make(folder: Path) -> None:
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        _show(folder, ENTERABLE)


def _raise(error: OSError) -> None:
    raise error


def _day_of(folder: Path) -> date | None:
    try:
        return date.fromisoformat("-".join(folder.parts[-3:]))
    except ValueError:
        return None


def _show(path: Path, mode: int) -> None:
    with suppress(OSError):  # a share may have no modes, or its own
        path.chmod(mode)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
