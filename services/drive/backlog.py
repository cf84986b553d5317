"""How many pictures wait to be filed, and how long that will take."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from shared.errors import JournalUnavailable

EVERY_S = 15.0
LOOK_BACK_S = 600.0
FEW = 20
"""Fewer are on their way, and no news."""


class Backlog:
    """``count`` asks the journal; it is called seldom. Any thread."""

    def __init__(
        self, count: Callable[[], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._count = count
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: deque[tuple[float, int]] = deque()

    def words(self) -> str:
        """Such as "12,000 pictures wait, for about 3 hours"; empty: no line."""
        with self._lock:
            self._look()
            waiting = self._seen[-1][1] if self._seen else 0
            if waiting < FEW:
                return ""
            began, first = self._seen[0]
            done, seconds = first - waiting, self._seen[-1][0] - began
        left = f", for about {_span(waiting * seconds / done)}" if done > 0 else ""
        return f"{waiting:,} pictures wait{left}"

    def _look(self) -> None:
        now = self._clock()
        if self._seen and now - self._seen[-1][0] < EVERY_S:
            return
        try:
            self._seen.append((now, self._count()))
        except JournalUnavailable:
            return
        while now - self._seen[0][0] > LOOK_BACK_S:
            self._seen.popleft()


def _span(seconds: float) -> str:
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "a minute"
