"""What goes wrong at a simulated Google: once when told to, or at random by a seed."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.simulator.google.wire import Answer, Refusal

Act = Literal["answer", "reset", "silent", "lost", "cut", "slow", "half", "gone", "damaged"]
"""What happens instead of the call: an answer; the connection is reset; nothing is ever said. Or
the call is done, and then: the connection is reset (lost), the answer ends in the middle (cut), it
drips (slow). Of an upload: only half is taken, then 503 (half); its session is forgotten (gone);
other bytes are taken than were sent (damaged)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    act: Act
    answer: Answer = Answer()  # noqa: RUF009  frozen


def _refused(status: int, reason: str, message: str, domain: str = "global") -> Fault:
    return Fault("answer", Refusal(status, reason, message, domain).answer())


def _page(status: int, title: str) -> Fault:
    body = f"<!DOCTYPE html><html><title>{title}</title><p>That's an error.</html>"
    return Fault("answer", Answer(status, body.encode(), "text/html; charset=UTF-8"))


def _oauth(status: int, word: str) -> Fault:
    return Fault("answer", Answer(status, f'{{"error": "{word}"}}'.encode()))


_USAGE = "usageLimits"
_GONE = Refusal(404, "notFound", "Upload session expired").answer()
FAULTS = {
    "userRateLimitExceeded": _refused(
        403, "userRateLimitExceeded", "User Rate Limit Exceeded", _USAGE
    ),
    "rateLimitExceeded": _refused(403, "rateLimitExceeded", "Rate Limit Exceeded", _USAGE),
    "dailyLimitExceeded": _refused(403, "dailyLimitExceeded", "Daily Limit Exceeded", _USAGE),
    "storageQuotaExceeded": _refused(
        403, "storageQuotaExceeded", "The user's Drive storage quota has been exceeded.", _USAGE
    ),
    "insufficientFilePermissions": _refused(
        403,
        "insufficientFilePermissions",
        "The user does not have sufficient permissions for this file.",
    ),
    "429": _refused(429, "rateLimitExceeded", "Too many requests", _USAGE),
    "401": _refused(401, "authError", "Invalid Credentials"),
    "404": _refused(404, "notFound", "File not found."),
    "400": _refused(400, "badRequest", "Bad Request"),
    "500": _refused(500, "internalError", "Internal Error"),
    "502": _page(502, "Error 502 (Server Error)!!1"),
    "503": _refused(503, "backendError", "Backend Error"),
    "503 HTML": _page(503, "Error 503 (Service Unavailable)"),
    "invalid_grant": _oauth(400, "invalid_grant"),
    "reset": Fault("reset"),
    "silent": Fault("silent"),
    "lost": Fault("lost"),
    "cut": Fault("cut"),
    "slow": Fault("slow"),
    "half": Fault("half", Refusal(503, "backendError", "Backend Error").answer()),
    "damaged": Fault("damaged"),
    "session 404": Fault("gone", _GONE),
    "session 410": Fault("gone", Answer(410, _GONE.body)),
}
PASSING = (
    "userRateLimitExceeded", "rateLimitExceeded", "429", "401", "500", "502", "503", "503 HTML",
    "reset", "lost", "cut", "half", "session 404", "session 410",
)  # fmt: skip
"""Those after which the same call, or the same upload begun again, may succeed."""


class Faults:
    """One thread at a time. ``happened`` counts them by name."""

    def __init__(self) -> None:
        self.happened: Counter[str] = Counter()
        self._told: deque[tuple[str, str]] = deque()
        self._rate = 0.0
        self._random = random.Random(0)  # noqa: S311  faults, not secrets
        self._names: Sequence[str] = PASSING
        self._on = ""

    def fail(self, *names: str, on: str = "") -> None:
        """Let the next calls fail so, in turn; ``on`` an operation, or the beginning of its name.
        Raises KeyError for an unknown name."""
        self._told.extend((on, name) for name in names if FAULTS[name])

    def storm(
        self, rate: float, seed: int = 0, names: Sequence[str] = PASSING, on: str = ""
    ) -> None:
        """Let this part of all calls fail at random, until ``calm``; 1 lets all fail."""
        self._rate, self._names, self._on = rate, names, on
        self._random = random.Random(seed)  # noqa: S311  faults, not secrets

    def calm(self) -> None:
        """Let nothing fail any more."""
        self._rate = 0.0
        self._told.clear()

    def next(self, operation: str) -> Fault | None:
        """What goes wrong with this call."""
        for told in self._told:
            if _is_for(told[0], operation):
                self._told.remove(told)
                return self._happens(told[1])
        if not self._rate or not _is_for(self._on, operation):
            return None
        if self._random.random() >= self._rate:
            return None
        name = self._random.choice(self._names)
        return self._happens(name) if _fits(name, operation) else None

    def _happens(self, name: str) -> Fault:
        self.happened[name] += 1
        return FAULTS[name]


def _is_for(on: str, operation: str) -> bool:
    return not on or operation == on or operation.startswith(f"{on}.")


def _fits(name: str, operation: str) -> bool:
    """Whether Google would say this there: sessions are uploads' only, grants are the tokens'."""
    if FAULTS[name].act in ("half", "gone", "damaged"):
        return operation == "upload.put"
    is_login = operation in ("token", "device")
    return not is_login or FAULTS[name].answer.status in (200, 500, 502, 503)
