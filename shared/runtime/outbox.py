"""Writes into the journal which events the broker confirmed."""

from __future__ import annotations

import logging
import threading

from shared.bus.relay import End, Relay
from shared.bus.thread import OUTBOX
from shared.errors import JournalUnavailable
from shared.failpoint import reach
from shared.journal import Journal

log = logging.getLogger(__name__)

WAIT_S = 0.25
BATCH = 1000
"""Ids in one statement; databases take some ten thousand at the most."""


class Outbox(threading.Thread):
    """Marks events as published until ``stop`` is set, and then those whose news is there."""

    def __init__(self, relay: Relay, journal: Journal, stop: threading.Event) -> None:
        super().__init__(name=OUTBOX, daemon=True)
        self._relay = relay
        self._journal = journal
        self._stop_event = stop

    def run(self) -> None:
        end = self._relay.end(OUTBOX)
        while not self._stop_event.is_set():
            self._mark(end, WAIT_S)
        self._mark(end, 0.0)
        end.close()

    def _mark(self, end: End, wait_s: float) -> None:
        frames = end.receive(wait_s)
        ids: list[str] = []
        while frames:
            ids += [event_id.decode() for event_id in frames[1:]]
            frames = end.receive(0.0)
        for begin in range(0, len(ids), BATCH):
            some = ids[begin : begin + BATCH]
            try:
                reach("outbox.before_mark")
                self._journal.mark_published(some)
                reach("outbox.after_mark")
            except JournalUnavailable as error:
                # They will be published once more, which is harmless.
                log.warning("%d events stay unmarked: %s", len(some), error)
