"""The time of a simulated Google, which a test can put forward."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from services.simulator.google.wire import invalid

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?")


class Clock:
    """Seconds since 1970."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        return time.time() + self._ahead

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self._ahead += seconds


def told(seconds: float) -> str:
    """As Google writes times: UTC, with milliseconds."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def read(text: object) -> float:
    """The time of an RFC 3339 text; without a zone it is UTC. Raises Refusal."""
    if not isinstance(text, str) or not _RFC3339.fullmatch(text):
        raise invalid(str(text)[:50])
    try:
        moment = datetime.fromisoformat(text.upper().replace(" ", "T"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise invalid(text[:50]) from None
