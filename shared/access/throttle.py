"""How often something may be tried: buckets that fill with time, in memory."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

MOST = 10_000
"""Buckets that are kept; the one longest unused goes first, and it is nearly always full again."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many tries at once, and then one every so many seconds."""

    burst: int
    every_s: float


class Throttle:
    """Any thread. ``clock`` for tests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, *wanted: tuple[Hashable, Rate]) -> float:
        """Take one from each of these buckets, or from none; returns the seconds to wait, 0 when
        they were taken."""
        with self._lock:
            present = self._clock()
            levels = [(name, rate, self._level(name, rate, present)) for name, rate in wanted]
            wait = max((1 - level) * rate.every_s for _, rate, level in levels)
            if wait <= 0:
                for name, _, level in levels:
                    self._keep(name, level - 1, present)
            return max(0.0, wait)

    def give_back(self, name: Hashable) -> None:
        """What was taken is not used."""
        with self._lock:
            if found := self._buckets.get(name):
                self._buckets[name] = (found[0] + 1, found[1])

    def refill(self, name: Hashable) -> None:
        """Forget what was tried."""
        with self._lock:
            self._buckets.pop(name, None)

    def _level(self, name: Hashable, rate: Rate, present: float) -> float:
        level, since = self._buckets.get(name, (float(rate.burst), present))
        return min(float(rate.burst), level + (present - since) / rate.every_s)

    def _keep(self, name: Hashable, level: float, present: float) -> None:
        self._buckets[name] = (level, present)
        self._buckets.move_to_end(name)
        while len(self._buckets) > MOST:
            self._buckets.popitem(last=False)
