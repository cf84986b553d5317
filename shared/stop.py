"""The word to stop, in a form that every kind of waiting hears at once."""

from __future__ import annotations

import os
import threading


class Stop(threading.Event):
    """An event that a poll wakes for as well: once it is set, its descriptor is readable for ever.

    So a thread that waits for a socket need not look again and again whether to stop.
    """

    def __init__(self) -> None:
        super().__init__()
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def set(self) -> None:
        """Any thread, and safe in a signal handler."""
        super().set()
        os.eventfd_write(self._descriptor, 1)

    def fileno(self) -> int:
        """For polls; nobody reads from it."""
        return self._descriptor

    def __del__(self) -> None:
        os.close(self._descriptor)
