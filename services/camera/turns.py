"""Turns of cameras that are down, so that however many of them leave workers for the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A part of the workers, which all cameras share whose last attempt failed. Any thread."""

    def __init__(self, most: int) -> None:
        self._free = threading.BoundedSemaphore(most)

    @contextmanager
    def taken(self, *, needed: bool) -> Iterator[bool]:
        """Yields whether there is a turn; whoever needs none has one."""
        free = not needed or self._free.acquire(blocking=False)
        try:
            yield free
        finally:
            if needed and free:
                self._free.release()
