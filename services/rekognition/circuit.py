"""Whether a region is asked at all: one that failed is left alone for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from shared.backoff import pause_s

FAILURES = 2
"""In a row, and it is left alone."""
FIRST_S, LONGEST_S = 5.0, 120.0


class Circuit:
    """The state of one region. Any thread."""

    def __init__(self, region: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.region = region
        self._now = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0
        self.trouble = ""

    @property
    def wait_s(self) -> float:
        """How long it is left alone from now; 0: it may be asked."""
        with self._lock:
            return max(0.0, self._until - self._now())

    def take(self) -> bool:
        """Whether to ask it now. Of a region that was left alone one request finds out whether it
        is back."""
        with self._lock:
            if self._failures < FAILURES:
                return True
            if self._now() < self._until:
                return False
            self._until = self._now() + self._pause()
            return True

    def failed(self, why: str) -> None:
        """It did not answer, or failed itself, or takes nothing from us."""
        with self._lock:
            self._failures += 1
            self.trouble = why
            if self._failures >= FAILURES:
                self._until = self._now() + self._pause()

    def answered(self) -> None:
        """It is there."""
        with self._lock:
            self._failures, self._until, self.trouble = 0, 0.0, ""

    def _pause(self) -> float:
        return pause_s(max(1, self._failures - FAILURES + 1), FIRST_S, LONGEST_S)
