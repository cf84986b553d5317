"""The picture files: content-addressed, immutable, synced before anybody is told they are there.

``<root>/blobs/ab/<sha256>``, written as ``<root>/incoming/*.part``. All 256 folders are made with
the store, so that a picture syncs no more than itself and its folder. Stores of older versions have
``blobs/ab/cd/<sha256>`` as well; what lies there stays there. A file that names the store
(``<root>/store.json``) tells an empty mount point from the real volume.
"""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from shared.errors import SnapshotMissing, StoreError
from shared.failpoint import reach
from shared.store.disk import sync_folder, translated
from shared.store.part import BUFFERS, Part
from shared.store.volume import Volume


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
        self._buffers = threading.BoundedSemaphore(BUFFERS)

    @property
    def incoming(self) -> Path:
        return self.root / "incoming"

    def create(self) -> str:
        """Make the store where there is none yet, and return its id. Raises StoreError."""
        try:
            blobs = self.root / "blobs"
            for folder in (self.root, blobs, self.incoming):
                folder.mkdir(parents=True, exist_ok=True)
            for number in range(256):
                (blobs / f"{number:02x}").mkdir(exist_ok=True)
            sync_folder(blobs)
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
        return Part(path, max_bytes, self.volume, self._commit, self._buffers)

    def path(self, sha256: str) -> Path:
        """The file of a blob. Raises SnapshotMissing."""
        path = self.place(sha256)
        if not path.is_file():
            self.volume.identity()
            raise SnapshotMissing(f"no file {sha256} in the store")
        return path

    def read(self, sha256: str) -> bytes:
        """The bytes of a blob. Raises SnapshotMissing."""
        with self._reading(sha256):
            return self.place(sha256).read_bytes()

    def digest(self, sha256: str) -> str:
        """The SHA-256 that a blob's bytes have now; a large one is not held in memory. Raises
        SnapshotMissing."""
        with self._reading(sha256), self.place(sha256).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @contextmanager
    def _reading(self, sha256: str) -> Iterator[None]:
        try:
            yield
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
        """The path of a blob, whether it exists or not."""
        folder = self.root / "blobs" / sha256[:2]
        older = folder / sha256[2:4] / sha256
        return older if older.exists() else folder / sha256

    def size(self, sha256: str) -> int:
        """The bytes of a blob. Raises OSError or StoreError."""
        return self.place(sha256).stat().st_size

    def kept(self) -> Iterator[tuple[str, float]]:
        """Every blob, and the time at which it was written. Raises StoreError."""
        for path in self.blobs():
            with suppress(FileNotFoundError):
                yield path.name, path.stat().st_mtime

    def where(self, sha256: str) -> str:
        """The place of a blob, for people."""
        return str(self.place(sha256))

    def blobs(self) -> Iterator[Path]:
        """All stored files, in the order of their folders."""
        for path in sorted(self.root.glob("blobs/*/*")):
            yield from sorted(path.iterdir()) if path.is_dir() else (path,)

    def commit(self, parts: Sequence[Part]) -> list[Blob | StoreError]:
        """Sync parts and move them into place; returns a blob or an error for each. Several
        together wait less for the disk than one by one.

        A part with an error (StoreFull, StoreDamaged or another StoreError) is discarded.
        """
        outcomes: list[Blob | StoreError] = []
        if len(parts) > 1:
            for part in parts:
                part.start_sync()
        for part in parts:
            try:
                part.sync()
                outcomes.append(Blob(part.sha256, part.size))
            except StoreError as error:
                outcomes.append(error)
        folders: dict[Path, list[int]] = {}
        for index, (part, outcome) in enumerate(zip(parts, outcomes, strict=True)):
            if isinstance(outcome, Blob):
                place = self.place(outcome.sha256)
                folders.setdefault(place.parent, []).append(index)
                try:
                    # The same bytes may be there already; these are as good, and synced.
                    reach("store.before_link")
                    part.place(place)
                    reach("store.after_link")
                except OSError as error:
                    outcomes[index] = part.failed(error)
        for folder, indexes in folders.items():
            try:
                sync_folder(folder)
                reach("store.after_folder_sync")
            except OSError as error:
                for index in indexes:
                    outcomes[index] = parts[index].failed(error)
        return outcomes

    def _commit(self, part: Part) -> Blob:
        (outcome,) = self.commit([part])
        if isinstance(outcome, StoreError):
            raise outcome
        return outcome
