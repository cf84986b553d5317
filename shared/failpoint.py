"""Named places between two durable effects where a test can make a process fail. Off by default.

``FAILPOINT=name:n:action`` acts at the n-th time that ``name`` is reached, several separated by
commas; ``n`` may be ``n+`` for "from then on". Actions: ``kill`` (SIGKILL to itself),
``raise=<errno name>``, ``sleep=<seconds>``. docs/ref/failpoints.md lists all names, generated from
the calls in the code.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from dataclasses import dataclass

from shared.errors import ConfigError


@dataclass(slots=True)
class _Armed:
    at: int
    onwards: bool
    action: str
    value: str
    hits: int = 0


_armed: dict[str, _Armed] = {}
_lock = threading.Lock()


def reach(name: str) -> None:
    """Fail here if a test wants it; else this costs one look at an empty dict. Any thread."""
    if _armed and name in _armed:
        _act(_armed[name])


def arm(text: str) -> None:
    """Arm what FAILPOINT says; an empty text disarms all. Raises ConfigError."""
    _armed.clear()
    for one in filter(None, text.split(",")):
        try:
            name, count, action = one.split(":", 2)
            verb, _, value = action.partition("=")
            armed = _Armed(int(count.rstrip("+")), count.endswith("+"), verb, value)
            _check(armed)
        except (ValueError, AttributeError) as error:
            raise ConfigError(
                f"FAILPOINT: {one!r} is not name:n:kill, name:n:raise=EIO or name:n:sleep=1"
            ) from error
        _armed[name] = armed


def _check(armed: _Armed) -> None:
    match armed.action:
        case "kill":
            pass
        case "raise":
            getattr(errno, armed.value)
        case "sleep":
            float(armed.value)
        case _:
            raise ValueError(armed.action)


def _act(armed: _Armed) -> None:
    with _lock:
        armed.hits += 1
        due = armed.hits >= armed.at if armed.onwards else armed.hits == armed.at
    if not due:
        return
    if armed.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif armed.action == "raise":
        number = getattr(errno, armed.value)
        raise OSError(number, os.strerror(number))
    else:
        time.sleep(float(armed.value))
