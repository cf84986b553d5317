"""The folder archive: ``<root>/YYYY/MM/DD/<camera>_<time>_<id>.jpg``, on a disk or a share."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from services.drive.archives.archive import Archive, Filing
from shared.errors import Retry, Unreachable
from shared.failpoint import reach
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

    def file(self, filing: Filing) -> str:
        """Copy beside, sync, read back, compare, and only then take the final name."""
        try:
            return self._file(filing)
        except OSError as error:
            text = f"archive folder {self._root}: {error.strerror or error}"
            if error.errno in _OF_THIS_FILE:
                raise Retry(text) from error
            raise Unreachable(f"archive {self.name}", text) from error

    def _file(self, filing: Filing) -> str:
        self._check_mounted()
        relative = Path(*filing.folders, filing.title)
        target = self._root / relative
        if not (target.is_file() and _sha256(target) == filing.sha256):
            self._put(filing, target)
        # Also when it was there: who filed it may have died before the names were safe.
        for folder in (target.parent, *target.parent.parents[:3]):
            sync_folder(folder)
        reach("drive.folder_synced")
        return str(relative)

    def _put(self, filing: Filing, target: Path) -> None:
        _make(target.parent)
        incoming = self._root / INCOMING
        incoming.mkdir(exist_ok=True)
        part = incoming / f"{uuid.uuid4().hex}.part"
        try:
            self._copy(filing, part)
            reach("drive.checked")
            part.replace(target)
            reach("drive.renamed")
        finally:
            part.unlink(missing_ok=True)

    def _copy(self, filing: Filing, part: Path) -> None:
        with filing.source.open("rb") as source, part.open("wb") as copy:
            shutil.copyfileobj(source, copy, CHUNK_BYTES)
            copy.flush()
            _show(part, READABLE)
            reach("drive.part_written")
            os.fsync(copy.fileno())
            reach("drive.part_synced")
        if _sha256(part) != filing.sha256:
            raise Retry(f"{filing.title}: the copy differs from the picture; it was removed")

    def _check_mounted(self) -> None:
        if not (self._root / MARKER).is_file():
            raise Unreachable(
                f"archive {self.name}",
                f"archive folder {self._root} lacks its marker {MARKER}: is the volume mounted? "
                "Create the empty file there if this is the right folder.",
            )

    def about(self) -> Mapping[str, Any]:
        if (self._root / MARKER).is_file():
            free = shutil.disk_usage(self._root).free // 2**30
            return {"ok": True, "summary": f"filing in {self._root}, {free} GiB free"}
        return {"ok": False, "summary": f"{self._root} is not there or lacks {MARKER}"}


def archive(name: str, section: DriveSection, data: Path) -> Archive:
    """The archive in the section's ``folder``, absolute or relative to the data folder."""
    return FolderArchive(data / section.folder, name)


def _make(folder: Path) -> None:
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        _show(folder, ENTERABLE)


def _show(path: Path, mode: int) -> None:
    with suppress(OSError):  # a share may have no modes, or its own
        path.chmod(mode)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
