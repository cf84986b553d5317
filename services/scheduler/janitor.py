"""Removes the partial files of uploads whose process was killed."""

from __future__ import annotations

import logging
import threading

from shared.service import Context

log = logging.getLogger(__name__)

EVERY_S = 600.0


class Janitor:
    """A source that makes no events. It removes ``.part`` files that are an hour old, and nothing
    else: a whole picture without a snapshot may be all that is left after an old database was
    restored, so only a person removes it, with ``doctor``."""

    name = "janitor"

    def __init__(self, context: Context, every_s: float = EVERY_S) -> None:
        self._store = context.store
        self._every_s = every_s

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                swept = self._store.sweep()
                if swept:
                    log.info("removed %d partial uploads", swept, extra={"action": "swept"})
            except OSError as error:  # a volume that is away or read-only now
                log.warning("can't sweep: %s", error.strerror, extra={"action": "sweep_waits"})
            stop.wait(self._every_s)
