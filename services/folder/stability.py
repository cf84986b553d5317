"""Tells when a file that nobody has closed is finished: once it has not changed for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

from cachetools import LRUCache

from services.folder.directory import Opened, Version

MOST_YOUNG = 10_000


class Stability:
    """Remembers since when each young file has not changed. Belongs to one thread."""

    def __init__(self, settle_s: float, clock: Callable[[], float]) -> None:
        self._settle_s = settle_s
        self._clock = clock
        self._seen: LRUCache[str, tuple[Version, float]] = LRUCache(MOST_YOUNG)
        self._due: LRUCache[str, float] = LRUCache(MOST_YOUNG)

    def reached(self, file: Opened) -> bool:
        """Whether the file has not changed for ``settle_s``."""
        if self._settle_s <= self._clock() - file.status.st_mtime:
            return True
        # It is young, or another machine's clock has dated it into the future.
        now = time.monotonic()
        version, since = self._seen.get(file.path, (None, now))
        if version != file.version:
            since = now
        self._seen[file.path] = (file.version, since)
        if now - since >= self._settle_s:
            return True
        if file.path not in self._due:
            self._due[file.path] = now + self._settle_s
        return False

    def look_again(self, path: str) -> None:
        """Make a file due at once."""
        self._due[path] = time.monotonic()

    def due(self) -> list[str]:
        """The files worth another look; each is told once."""
        now = time.monotonic()
        paths = [path for path, at in self._due.items() if at <= now]
        for path in paths:
            del self._due[path]
        return paths
