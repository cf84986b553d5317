"""The pictures and thumbnails that were shown last, in a memory of bounded size."""

from __future__ import annotations

import threading

from cachetools import LRUCache

SHARE = 8
"""One picture takes no more than this fraction of it, so that none drives out all others."""


class Recent:
    """Keeps what was used last. Any thread."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes // SHARE
        self._kept: LRUCache[str, bytes] = LRUCache(most_bytes, getsizeof=len)
        self._lock = threading.Lock()  # the library has none

    def get(self, name: str) -> bytes | None:
        """What was kept under this name."""
        with self._lock:
            kept: bytes | None = self._kept.get(name)
            return kept

    def fits(self, size: int) -> bool:
        """Whether so many bytes are kept at all."""
        return size <= self._most

    def keep(self, name: str, data: bytes) -> None:
        """Keep it, in place of what was used longest ago."""
        if self.fits(len(data)):
            with self._lock:
                self._kept[name] = data

    @property
    def size(self) -> int:
        """Bytes kept now."""
        with self._lock:
            return int(self._kept.currsize)
