"""How fast Google is asked: as it likes. A gate that shuts for a while after each refusal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from services.drive.archives.google.errors import Busy
from shared.backoff import pause_s

FIRST_S, LONGEST_S = 1.0, 64.0
PATIENCE_S = 3.0
"""So long a thread waits at the gate; when it is shut for longer, its work waits in the journal."""
MOST_S = 900.0
"""Google's own wish, Retry-After, counts up to this."""


class Pace:
    """Shared by the threads that ask for one account."""

    def __init__(
        self,
        first_s: float = FIRST_S,
        longest_s: float = LONGEST_S,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Each refusal in a row doubles the time for which the gate shuts."""
        self._first_s = first_s
        self._longest_s = longest_s
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._failures = 0
        self._opens_at = 0.0
        self._why = ""

    @property
    def shut_s(self) -> float:
        """Seconds until the gate opens."""
        with self._lock:
            return max(0.0, self._opens_at - self._clock())

    def turn(self) -> None:
        """Wait at the gate; raises Busy when that would take too long."""
        left = self.shut_s
        if left > PATIENCE_S:
            raise Busy(self._why, left)
        if left:
            self._sleep(left)

    def well(self) -> None:
        """Google did what it was asked."""
        with self._lock:
            self._failures = 0

    def slower(self, error: Busy) -> None:
        """Google wants fewer requests, or is away. What comes back from before the gate was shut
        does not shut it for longer."""
        with self._lock:
            now = self._clock()
            if now < self._opens_at:
                return
            self._failures += 1
            pause = max(
                pause_s(self._failures, self._first_s, self._longest_s), min(error.after_s, MOST_S)
            )
            self._opens_at, self._why = now + pause, str(error)
