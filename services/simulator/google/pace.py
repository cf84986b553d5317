"""How many calls a simulated Google takes within a minute."""

from __future__ import annotations

from collections import deque

from services.simulator.google.clock import Clock
from services.simulator.google.wire import Refusal


class Pace:
    """One thread at a time. ``per_minute`` None: as many as come; logins don't count."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._times: deque[float] = deque()
        self.per_minute: int | None = None
        self.refused = 0

    def count(self, operation: str) -> None:
        """Count a call. Raises Refusal when there were too many."""
        if self.per_minute is None or operation in ("token", "device", "revoke"):
            return
        now = self._clock.now()
        while self._times and self._times[0] < now - 60:
            self._times.popleft()
        if len(self._times) >= self.per_minute:
            self.refused += 1
            message = "User Rate Limit Exceeded"
            raise Refusal(403, "userRateLimitExceeded", message, "usageLimits")
        self._times.append(now)
