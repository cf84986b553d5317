"""A log filter for what anybody can make a server say."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

TELL_S = 60.0
"""What uvicorn says of requests is logged once in so long: anybody can make it say that."""


class Seldom(logging.Filter):
    """Lets a warning through once in ``TELL_S``, with how often it was left out before."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._told: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.WARNING:
            return True
        text, now = str(record.msg), self._clock()
        again, left_out = self._told.get(text, (0.0, 0))
        if now < again:
            self._told[text] = again, left_out + 1
            return False
        self._told[text] = now + TELL_S, 0
        if left_out:
            record.msg = f"{text} And {left_out} times more since it was said last."
        return True
