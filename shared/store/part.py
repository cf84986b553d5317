"""A file that is being received into the store.

Its bytes stay in a buffer, so that the receiving thread need not wait for the disk. Without a free
buffer, and beyond its size, they are written as they come.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import threading
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
BUFFERS = 64
BUFFER_BYTES = 512 * 1024
_NEW = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC


class Part:
    """A file being received. Belongs to one thread at a time."""

    def __init__(
        self,
        path: Path,
        max_bytes: int,
        volume: Volume,
        commit: Callable[[Part], Blob],
        buffers: threading.Semaphore,
    ) -> None:
        self.path = path
        self.size = 0
        self.head = b""
        self._max_bytes = max_bytes
        self._volume = volume
        self._commit = commit
        self._buffers = buffers
        self._buffered = buffers.acquire(blocking=False)
        self._chunks: list[bytes] = []  # not yet in the file
        self._hashed = 0  # so many of them
        self._hash = hashlib.sha256()
        self._descriptor = -1
        self._error: StoreError | None = None
        self._made = False
        self._placed = False

    def write(self, chunk: bytes) -> None:
        """Take more bytes. Raises PictureTooLarge, StoreFull, StoreError; then discard the part."""
        self.size += len(chunk)
        if self.size > self._max_bytes:
            raise PictureTooLarge(f"more than {self._max_bytes} bytes, the limit of one picture")
        self._chunks.append(chunk)
        if len(self.head) < HEAD_BYTES:
            self.head = (self.head + chunk)[:HEAD_BYTES]
        if not self._buffered or self.size > BUFFER_BYTES:
            self._flush()

    def stays_in_memory(self, more: int = 0) -> bool:
        """Whether all bytes, and so many more, wait for no disk."""
        return self._buffered and self.size + more <= BUFFER_BYTES

    def _flush(self) -> None:
        """Write what is in memory, and go without a buffer from now on. After an error bytes are
        missing in the file, so it is the same error for ever."""
        if self._error:
            raise self._error
        self._update_hash()
        chunks, self._chunks, self._hashed = self._chunks, [], 0
        try:
            if self._descriptor < 0:
                reach("store.before_open")
                self._descriptor = os.open(self.path, _NEW, 0o600)
                self._made = True
            for chunk in chunks:
                reach("store.before_chunk")
                written = os.write(self._descriptor, chunk)
                while written < len(chunk):
                    written += os.write(self._descriptor, memoryview(chunk)[written:])
                reach("store.after_chunk")
        except OSError as error:
            self._error = self._volume.failed(error, self.path)
            raise self._error from error
        finally:
            self._release()

    def _update_hash(self) -> None:
        for chunk in self._chunks[self._hashed :]:
            self._hash.update(chunk)
        self._hashed = len(self._chunks)

    def _release(self) -> None:
        if self._buffered:
            self._buffered = False
            self._buffers.release()

    @property
    def sha256(self) -> str:
        """Of the bytes taken so far."""
        self._update_hash()
        return self._hash.hexdigest()

    @contextmanager
    def mapped(self) -> Iterator[mmap.mmap | bytes]:
        """The bytes taken so far, without a copy of them."""
        if self._descriptor < 0:
            self._update_hash()
            self._chunks = [b"".join(self._chunks)]
            self._hashed = 1
            yield self._chunks[0]
            return
        self._flush()
        with mmap.mmap(self._descriptor, self.size, access=mmap.ACCESS_READ) as data:
            yield data

    def start_sync(self) -> None:
        """Begin to write the bytes to the disk, without waiting; ``sync`` reports errors."""
        with suppress(OSError, StoreError):
            self._flush()
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def sync(self) -> None:
        """Sync the bytes, but not the name. Raises StoreFull, StoreDamaged, StoreError; then the
        part is discarded.

        A failed sync is never tried again on the same file: its pages may be marked clean
        although they were lost (PostgreSQL's fsync finding of 2018).
        """
        try:
            self._volume.check_sound()
            self._flush()
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

    def keep(self, place: Path) -> None:
        """Give it its name without a sync, which is enough for a copy. Raises OSError or
        StoreError; then the part is discarded."""
        try:
            self._flush()
            self._close()
            self.place(place)
        finally:
            self.discard()

    def commit(self) -> Blob:
        """Sync the file and put it into its place. Raises StoreFull, StoreDamaged, StoreError."""
        return self._commit(self)

    def failed(self, error: OSError) -> StoreError:
        """The StoreError for an OSError; discards the part."""
        self.discard()
        told = self._volume.failed(error, self.path)
        told.__cause__ = error
        return told

    def discard(self) -> None:
        """Forget the bytes; calling it again, or after commit, does nothing."""
        # On a disk that is full or read-only it stays; the sweep removes it later.
        with suppress(OSError):
            self._close()
        self._release()
        self._chunks, self._hashed = [], 0
        if self._made and not self._placed:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
