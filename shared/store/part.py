"""One file on its way into the store."""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import PictureTooLarge, StoreError
from shared.failpoint import reach
from shared.store.disk import syncing
from shared.store.volume import Volume

if TYPE_CHECKING:
    from shared.store.store import Blob

HEAD_BYTES = 512
_NEW = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC


class Part:
    """A file being received. Belongs to one thread at a time."""

    def __init__(
        self, path: Path, max_bytes: int, volume: Volume, commit: Callable[[Part], Blob]
    ) -> None:
        """Raises OSError when the file can't be made."""
        self.path = path
        self.size = 0
        self.head = b""
        self._descriptor = os.open(path, _NEW, 0o666)
        self._hash = hashlib.sha256()
        self._max_bytes = max_bytes
        self._volume = volume
        self._commit = commit
        self._placed = False

    def write(self, chunk: bytes) -> None:
        """Take more bytes. Raises PictureTooLarge, StoreFull, StoreError; then discard the part."""
        if self.size + len(chunk) > self._max_bytes:
            raise PictureTooLarge(f"more than {self._max_bytes} bytes, the limit of one picture")
        try:
            reach("store.before_chunk")
            written = os.write(self._descriptor, chunk)
            while written < len(chunk):
                written += os.write(self._descriptor, memoryview(chunk)[written:])
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

    @contextmanager
    def mapped(self) -> Iterator[mmap.mmap | bytes]:
        """The bytes taken so far, without a copy of them."""
        if not self.size:
            yield b""
            return
        with mmap.mmap(self._descriptor, self.size, access=mmap.ACCESS_READ) as data:
            yield data

    def sync(self) -> None:
        """Make the bytes safe, but not yet the name. Raises StoreFull, StoreDamaged, StoreError;
        then the part is discarded.

        A failed sync is never tried again on the same file: its pages may be marked clean
        although they were lost (PostgreSQL's fsync finding of 2018).
        """
        try:
            self._volume.check_sound()
            with syncing():
                reach("store.before_sync")
                os.fsync(self._descriptor)
            reach("store.after_sync")
            self._close()
        except StoreError:
            self.discard()
            raise
        except OSError as error:
            raise self.failed(error) from error

    def place(self, place: Path) -> None:
        """Give the file its name. Raises OSError."""
        self.path.replace(place)
        self._placed = True

    def commit(self) -> Blob:
        """Sync the file and put it into its place. Raises StoreFull, StoreDamaged, StoreError."""
        return self._commit(self)

    def failed(self, error: OSError) -> StoreError:
        """Our error for one of the system's; the part is discarded."""
        self.discard()
        told = self._volume.failed(error, self.path)
        told.__cause__ = error
        return told

    def discard(self) -> None:
        """Forget the bytes; calling it again, or after commit, does nothing."""
        # On a disk that is full or read-only it stays; the sweep removes it later.
        with suppress(OSError):
            self._close()
        if not self._placed:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
