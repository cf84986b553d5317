"""W3C Trace Context: the trace of a picture, from the door to the last effect.

Each event has a ``traceparent``: the trace of what led to it, or a new one where it is the first.
Ids follow from the event's own, so that making an event twice makes the same. Source of the
formats: W3C Trace Context 1 and Baggage 1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LONGEST_BAGGAGE = 1024
"""Longer baggage is dropped as a whole, as its specification allows: messages are bounded."""

_PARENT = re.compile(r"00-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})")
_MEMBER = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+ *= *[!#-+\--:<-\[\]-~]*( *;[!#-+\--~ ]*)?"
_BAGGAGE = re.compile(rf" *{_MEMBER} *(, *{_MEMBER} *)*")
_current: ContextVar[tuple[str, str]] = ContextVar("trace", default=("", ""))


def step(event_id: str, before: str = "") -> str:
    """The ``traceparent`` of an event: a step of the trace of ``before``, or, where that is none,
    the first of a new one."""
    own = event_id.replace("-", "")
    if not re.fullmatch(r"[0-9a-f]{32}", own):  # of another program
        own = hashlib.sha256(event_id.encode(errors="replace")).hexdigest()[:32]
    known = _PARENT.fullmatch(before)
    trace, flags = (known[1], known[3]) if known else (own, "01")
    return f"00-{trace}-{own[16:]}-{flags}"


def carried(baggage: str) -> str:
    """The baggage as it is handed on; empty if it is none, or too long."""
    fits = len(baggage) <= LONGEST_BAGGAGE and _BAGGAGE.fullmatch(baggage)
    return baggage.strip() if fits else ""


@contextmanager
def within(parent: str, baggage: str = "") -> Iterator[None]:
    """What is begun meanwhile, by this thread or task, belongs to this trace."""
    token = _current.set((parent, carried(baggage)))
    try:
        yield
    finally:
        _current.reset(token)


def current() -> tuple[str, str]:
    """The ``traceparent`` of what this thread or task works on, and its baggage; empty: none."""
    return _current.get()


def trace_id(parent: str = "") -> str:
    """The id of the trace, of the current one by default, as logs name it; empty: there is none."""
    known = _PARENT.fullmatch(parent or _current.get()[0])
    return known[1] if known else ""
