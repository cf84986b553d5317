"""A bounded folder of copies of what is kept elsewhere."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

STAYS_S = 600.0
"""A copy that was used since then is not removed: somebody may be about to open it."""
SLACK = 16
"""It is looked into whenever a sixteenth of the bound was added."""


class Copies:
    """Files below ``folder``, of about ``max_bytes`` in all. Any thread, several processes."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._added = 0

    def added(self, size: int) -> None:
        """A copy of so many bytes was made."""
        with self._lock:
            self._added += size
            due = self._added > self._max_bytes // SLACK
            if due:
                self._added = 0
        if due:
            self.trim()

    def used(self, path: Path) -> None:
        """This copy is about to be opened."""
        with suppress(OSError):
            os.utime(path)

    def trim(self) -> int:
        """Remove copies, those that were not used for longest first, until the rest is within the
        bound; returns how many."""
        found = []
        for path in self._folder.glob("*/*"):
            with suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        excess = sum(size for _, size, _ in found) - self._max_bytes
        limit, removed = time.time() - STAYS_S, 0
        for used_at, size, path in sorted(found):
            if excess <= 0 or used_at > limit:
                break
            with suppress(OSError):
                path.unlink()
                removed += 1
                excess -= size
        if removed:
            log.info("removed %d copies", removed, extra={"action": "copies_trimmed"})
        return removed
