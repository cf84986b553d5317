"""The loop of the FTP server, what it and its connections are to each other, and what wakes it:
calls that other threads hand to it, and the word to stop."""

from __future__ import annotations

import enum
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from shared.stop import Stop

log = logging.getLogger(__name__)


class Timer(Protocol):
    def cancel(self) -> None: ...


class Loop(Protocol):
    """What is used of the library's loop (server.py). All in its thread."""

    READ: int
    WRITE: int

    def register(self, fd: int, instance: object, events: int) -> None: ...
    def unregister(self, fd: int) -> None: ...
    def modify(self, fd: int, events: int) -> None: ...
    def call_later(self, seconds: float, target: Callable[..., None], **named: Any) -> Timer: ...


class End(enum.Enum):
    """How the other side ended a connection."""

    CLEAN = "it said that this is the end"
    RAGGED = "TLS without close_notify: whether more was to come is not known"
    BROKEN = "reset, or another error"


class User(Protocol):
    """Whom a connection serves. ``finished`` answers ``finish``: all is sent, or the other side has
    gone. ``failed`` is called while an exception of the others is handled."""

    def received(self, chunk: bytes) -> None: ...
    def ended(self, how: End) -> None: ...
    def finished(self) -> None: ...
    def failed(self) -> None: ...


class _Reader:
    """What the loop asks of one that only reads."""

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def handle_error(self) -> None:
        log.error("a call into the loop of the FTP server failed", exc_info=sys.exception())

    handle_close = handle_error


class LoopCalls(_Reader):
    """Queues calls and wakes the loop for them, as asyncio's ``call_soon_threadsafe`` does."""

    def __init__(self, ioloop: Loop) -> None:
        self._ioloop = ioloop
        self._calls: deque[tuple[Callable[[], None], Callable[[], None]]] = deque()
        self._lock = threading.Lock()
        self._open = True
        self._woken = False
        self._fileno = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        ioloop.register(self._fileno, self, ioloop.READ)

    def call_soon(self, call: Callable[[], None], failed: Callable[[], None]) -> None:
        """Have ``call`` called in the loop, and ``failed`` if that raises; nothing happens once
        closed. Any thread."""
        self._calls.append((call, failed))
        with self._lock:
            if self._open and not self._woken:
                self._woken = True
                os.eventfd_write(self._fileno, 1)

    def handle_read_event(self) -> None:
        os.eventfd_read(self._fileno)
        self._woken = False  # from here on a new call wakes the loop again
        while self._calls:
            call, failed = self._calls.popleft()
            try:
                call()
            except Exception:  # noqa: BLE001  one session's trouble is no other's
                failed()

    def close(self) -> None:
        with self._lock:
            self._open = False
            self._ioloop.unregister(self._fileno)
            os.close(self._fileno)


class StopHeard(_Reader):
    """Wakes the loop once for the word to stop."""

    def __init__(self, ioloop: Loop, stop: Stop) -> None:
        self._ioloop = ioloop
        self._fileno = stop.fileno()
        ioloop.register(self._fileno, self, ioloop.READ)

    def close(self) -> None:
        self._ioloop.unregister(self._fileno)

    handle_read_event = close
