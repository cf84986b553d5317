"""Committed events on their way out: to the bus thread, and what the broker confirmed to the
journal."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from shared.bus.relay import End, Relay
from shared.bus.thread import OUTBOX
from shared.envelope import encode
from shared.errors import JournalUnavailable
from shared.events import Event
from shared.failpoint import reach
from shared.journal import Journal
from shared.stop import Stop

log = logging.getLogger(__name__)

BATCH = 1000
"""Ids in one statement; databases take some ten thousand at the most."""


def announce(end: End, events: Sequence[Event], queue: str = "", *, hold: bool = False) -> None:
    """Ask the bus thread to publish committed events, to one queue or to all that want them;
    ``hold`` leaves that to the next word with it."""
    for number, event in enumerate(events, 1):
        frames = (frame.encode() for frame in (event.id, event.routing_key, queue))
        say = end.hold if hold or number < len(events) else end.send
        trace = ((each or "").encode() for each in (event.trace, event.baggage))
        say(b"publish", *frames, encode(event), *trace)


class Outbox(threading.Thread):
    """Marks events as published until ``stop`` is set, and then those whose news is there."""

    def __init__(self, relay: Relay, journal: Journal, stop: Stop) -> None:
        super().__init__(name=OUTBOX, daemon=True)
        self._relay = relay
        self._journal = journal
        self._stop_event = stop

    def run(self) -> None:
        end = self._relay.end(OUTBOX)
        while not self._stop_event.is_set():
            self._mark(end, self._stop_event)
        self._mark(end, 0.0)
        end.close()

    def _mark(self, end: End, until: float | Stop) -> None:
        frames = end.receive(until)
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
