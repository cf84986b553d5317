"""What becomes of work that failed: when it is tried again, if at all, and what it waits for."""

from __future__ import annotations

from dataclasses import dataclass

from shared.backoff import pause_s
from shared.errors import HandlerError, Reject, Retry, Unreachable
from shared.journal import Attempt
from shared.settings.runtime import WorkSection

PROBE_S = 10.0
"""How often a peer that is away is tried again."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt. ``again_s`` None: the work is dead. ``peer`` is what is away, if that is
    why it failed; ``attempts`` are those that count, and waiting does not."""

    text: str
    attempts: int
    again_s: float | None
    peer: str = ""

    @property
    def dead(self) -> bool:
        return self.again_s is None


def failure(error: Exception, attempt: Attempt, policy: WorkSection) -> Failure:
    """The failure that this error is, at this attempt."""
    text = str(error) if isinstance(error, HandlerError) else f"{type(error).__name__}: {error}"
    attempts = attempt.attempts
    if isinstance(error, Unreachable):
        return Failure(text, attempts - 1, error.after_s or PROBE_S, error.peer)
    most = policy.retries if isinstance(error, Retry) else policy.attempts
    if isinstance(error, Reject) or attempts >= most:
        return Failure(text, attempts, None)
    after_s = error.after_s if isinstance(error, Retry) else None
    pause = after_s or pause_s(attempts, policy.first_retry_s, policy.longest_retry_s)
    return Failure(text, attempts, pause)
