"""Calls that other threads hand to the loop of the FTP server."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)


class LoopCalls:
    """Queues calls and wakes the loop for them, as asyncio's ``call_soon_threadsafe`` does."""

    def __init__(self, ioloop: Any) -> None:
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

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def handle_error(self) -> None:
        log.error("a call into the loop of the FTP server failed", exc_info=sys.exception())

    handle_close = handle_error

    def close(self) -> None:
        with self._lock:
            self._open = False
            self._ioloop.unregister(self._fileno)
            os.close(self._fileno)
