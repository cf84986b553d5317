"""Small stand-ins and helpers that several tests share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, TypeVar

T = TypeVar("T")


def eventually(
    fn: Callable[[], T | Literal[False] | None], *, timeout: float = 30, message: str = ""
) -> T:
    """Call `fn` until it answers something true, and return that; fail at the deadline.

    An AssertionError of `fn` counts as "not yet" and is shown if it stays; others pass through.
    """
    deadline = time.monotonic() + timeout
    pause = 0.005
    while True:
        error: AssertionError | None = None
        answer: T | Literal[False] | None = None
        try:
            answer = fn()
            if answer:
                return answer
        except AssertionError as caught:
            error = caught
        if time.monotonic() >= deadline:
            what = message or getattr(fn, "__doc__", None) or "it did not happen"
            raise AssertionError(f"after {timeout} s: {what} (last: {error or answer!r})")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
