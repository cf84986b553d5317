"""The picture files: content-addressed, immutable, synced before anybody is told they are there.

``<root>/blobs/ab/cd/<sha256>``, written as ``<root>/incoming/*.part``. A file that names the store
(``<root>/store.json``) tells an empty mount point from the real volume.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from shared.errors import (
    PictureTooLarge,
    SnapshotMissing,
    StoreError,
)
from shared.failpoint import reach
from shared.store.disk import sync_folder, syncing, translated
from shared.store.volume import Volume

HEAD_BYTES = 512


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored picture file. ``size`` in bytes."""

    sha256: str
    size: int


class Store:
    """The store below ``root``. All methods may be called from any thread.

    Space is refused when less than ``reserve_fraction`` of the volume or ``reserve_bytes`` is free.
    """

    def __init__(
        self, root: Path, *, reserve_fraction: float = 0.0, reserve_bytes: int = 0
    ) -> None:
        self.root = root
        self.volume = Volume(root, reserve_fraction=reserve_fraction, reserve_bytes=reserve_bytes)
        self._synced_folders: set[Path] = set()

    @property
    def incoming(self) -> Path:
        return self.root / "incoming"

    def create(self) -> str:
        """Make the store where there is none yet, and return its id. Raises StoreError."""
        try:
            for folder in (self.root, self.root / "blobs", self.incoming):
                folder.mkdir(parents=True, exist_ok=True)
            self.volume.name()
        except OSError as error:
            raise StoreError(
                f"store {self.root} can't be made: {error.strerror}. Let this user write there, "
                "or set 'data' to another folder"
            ) from error
        return self.volume.identity()

    def receive(self, max_bytes: int) -> Part:
        """Begin to receive a file. Raises StoreFull, StoreMissing or StoreDamaged before a byte is
        taken."""
        self.volume.check_space()
        path = self.incoming / f"{uuid.uuid4().hex}.part"
        try:
            reach("store.before_open")
            return Part(path, path.open("xb", buffering=0), max_bytes, self.volume, self._keep)
        except OSError as error:
            raise self.volume.failed(error, path) from error

    def path(self, sha256: str) -> Path:
        """Where a blob lies. Raises SnapshotMissing when it doesn't."""
        path = self.place(sha256)
        if not path.is_file():
            self.volume.identity()
            raise SnapshotMissing(f"no file {sha256} in the store")
        return path

    def read(self, sha256: str) -> bytes:
        """The bytes of a blob. Raises SnapshotMissing."""
        try:
            return self.place(sha256).read_bytes()
        except FileNotFoundError:
            self.volume.identity()
            raise SnapshotMissing(f"no file {sha256} in the store") from None
        except OSError as error:
            raise translated(error, self.place(sha256)) from error

    def derived(self, kind: str, sha256: str) -> Path:
        """Where a derivative (a thumbnail, …) of a blob is cached; it may not exist."""
        return self.root / "cache" / kind / sha256[:2] / sha256

    def sweep(self, older_than_s: float = 3600.0) -> int:
        """Delete forgotten ``.part`` files, left by a crash; returns how many."""
        limit = time.time() - older_than_s
        swept = 0
        for path in (*self.incoming.glob("*.part"), *self.root.glob("spool/*.part")):
            try:
                if path.stat().st_mtime < limit:
                    path.unlink()
                    swept += 1
            except FileNotFoundError:
                continue  # its writer finished meanwhile
        return swept

    def place(self, sha256: str) -> Path:
        """Where a blob has its place, whether it is there or not."""
        return self.root / "blobs" / sha256[:2] / sha256[2:4] / sha256

    def _keep(self, part: Path, sha256: str) -> None:
        """Link a synced part to its place, and sync every folder that changed by it."""
        place = self.place(sha256)
        folder = place.parent
        known = folder in self._synced_folders
        if not known:
            folder.mkdir(parents=True, exist_ok=True)
        reach("store.before_link")
        # Equal bytes may be stored already; the folder is synced in case theirs was not yet.
        try:
            os.link(part, place)
        except FileExistsError:
            if place.stat().st_size != part.stat().st_size:
                part.replace(place)  # what lay there was damaged by something else
        reach("store.after_link")
        sync_folder(folder)
        if not known:
            self._sync_above(folder)
        reach("store.after_folder_sync")
        part.unlink(missing_ok=True)

    def _sync_above(self, folder: Path) -> None:
        """Sync what holds the names of a folder that may be new. It comes after the sync of the
        folder itself, which mostly has written these too, so that it costs next to nothing."""
        sync_folder(folder.parent)
        if folder.parent not in self._synced_folders:
            sync_folder(folder.parent.parent)
            self._synced_folders.add(folder.parent)
        self._synced_folders.add(folder)


class Part:
    """A file on its way into the store. Belongs to one thread at a time."""

    def __init__(
        self,
        path: Path,
        file: BinaryIO,
        max_bytes: int,
        volume: Volume,
        keep: Callable[[Path, str], None],
    ) -> None:
        self.path = path
        self.size = 0
        self.head = b""
        self._file = file
        self._hash = hashlib.sha256()
        self._max_bytes = max_bytes
        self._volume = volume
        self._keep = keep

    def write(self, chunk: bytes) -> None:
        """Take more bytes. Raises PictureTooLarge, StoreFull, StoreError; then discard the part."""
        if self.size + len(chunk) > self._max_bytes:
            raise PictureTooLarge(f"more than {self._max_bytes} bytes, the limit of one picture")
        try:
            reach("store.before_chunk")
            view = memoryview(chunk)
            while view:
                view = view[self._file.write(view) :]
            reach("store.after_chunk")
        except OSError as error:
            raise self._volume.failed(error, self.path) from error
        self._hash.update(chunk)
        self.size += len(chunk)
        if len(self.head) < HEAD_BYTES:
            self.head = (self.head + chunk)[:HEAD_BYTES]

    @property
    def sha256(self) -> str:
        """Of the bytes taken so far."""
        return self._hash.hexdigest()

    def commit(self) -> Blob:
        """Sync the file and put it into its place. Raises StoreFull, StoreDamaged, StoreError.

        A failed sync is never tried again on the same file: its pages may be marked clean
        although they were lost (PostgreSQL's fsync finding of 2018).
        """
        sha256 = self.sha256
        try:
            self._volume.check_sound()
            with syncing():
                reach("store.before_sync")
                os.fsync(self._file.fileno())
            reach("store.after_sync")
            self._file.close()
            self._keep(self.path, sha256)
        except StoreError:
            self.discard()
            raise
        except OSError as error:
            self.discard()
            raise self._volume.failed(error, self.path) from error
        return Blob(sha256, self.size)

    def discard(self) -> None:
        """Forget the bytes; calling it again, or after commit, does nothing."""
        # On a disk that is full or read-only it stays; the sweep removes it later.
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
