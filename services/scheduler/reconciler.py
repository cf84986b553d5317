"""Finishes what was committed but not finished: the reason why nothing is ever lost.

It records pictures spooled while the journal was away, publishes events that no broker confirmed,
delivers retries that are due, and delivers again what a service has not answered for too long. All
of it is harmless when it happens twice.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from shared.envelope import REPEATED
from shared.errors import BrokerUnavailable, JournalUnavailable, StoreError
from shared.events import now
from shared.failpoint import reach
from shared.ingest.arrival import with_hash
from shared.ingest.spool import Spool
from shared.journal.catalogue import Candidate
from shared.journal.queries.owed import Owed
from shared.service import Context

log = logging.getLogger(__name__)

T = TypeVar("T")

BATCH = 500
UNPUBLISHED_S = 5.0
"""Younger events are probably on their way to the broker."""
ADVANCE_EVERY_S = 30.0
ANNOUNCE_AGAIN_S = 10.0
"""An event is announced again if the broker has not confirmed it within this."""
REDELIVER_GRACES = 10
"""Grace times until the same event is delivered once more."""
OVERDUE = timedelta(minutes=10)
"""After this an event is delivered again even to a service that is making progress."""
ALIVE = timedelta(minutes=1)
"""A service that reported its status within this is running."""
LOOKS = 3
"""How often within a grace time forgotten events are looked for while there are none."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)
SHORT_PAUSE_S = 0.1
"""The pause after a round that left work to do at once."""


class Reconciler:
    """A source that makes no events. ``at_once`` is for a broker that starts empty: what was
    unfinished before this process started is delivered without waiting."""

    name = "reconciler"

    def __init__(
        self, context: Context, *, at_once: bool, clock: Callable[[], datetime] = now
    ) -> None:
        self._context = context
        self._recovery = context.journal.recovery
        section = context.settings.scheduler
        self._every_s = section.reconcile_s
        self._grace = timedelta(seconds=section.grace_s)
        self._newest_first = context.settings.newest_first
        self._now = clock
        self._spool = Spool(context.store)
        self._open_before = clock() if at_once else None
        self._advanced_at = time.monotonic()
        self._none_at = LONG_AGO
        # What was published or delivered again recently is on its way or being handled.
        self._announced = Recently(ANNOUNCE_AGAIN_S)
        self._delivered = Recently(REDELIVER_GRACES * section.grace_s)

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            wait_s = self._every_s
            try:
                if self.reconcile():
                    wait_s = SHORT_PAUSE_S
            except (JournalUnavailable, StoreError) as error:
                log.warning("can't reconcile: %s", error, extra={"action": "reconcile_waits"})
            except BrokerUnavailable as error:
                log.debug("nothing can be delivered again now: %s", error)
                wait_s = SHORT_PAUSE_S if self._open_before else wait_s
            stop.wait(wait_s)

    def reconcile(self) -> bool:
        """One round; returns whether more is to publish. Raises JournalUnavailable, StoreError,
        and BrokerUnavailable after publishing."""
        spooled = self._empty_spool()
        published = self._publish()
        again = self._deliver(self._recovery.due(BATCH, self._newest_first))
        if self._open_before:
            forgotten = self._deliver_all(self._open_before)
            self._open_before = None
        else:
            forgotten = self._deliver(self._overdue())
        if spooled or published or again or forgotten:
            log.info(  # whether the broker took them is in the journal, as published_at
                "recorded %d spooled pictures; asked the broker to take %d unpublished, %d due and "
                "%d forgotten events",
                spooled,
                published,
                again,
                forgotten,
                extra={"action": "reconciled"},
            )
        if time.monotonic() - self._advanced_at > ADVANCE_EVERY_S:
            self._recovery.advance()
            self._advanced_at = time.monotonic()
        return published == BATCH

    def _empty_spool(self) -> int:
        """Record the pictures that were acknowledged while the journal was away."""
        count = 0
        for waiting in self._spool:
            known = self._record(waiting)
            reach("reconciler.before_drop")
            self._spool.drop(waiting)
            reach("reconciler.dropped")
            if not known:
                self._context.announce([waiting.taken])
            count += 1
        return count

    def _record(self, waiting: Candidate) -> bool:
        """Record a spooled picture; returns whether it was known."""
        journal, taken = self._context.journal, waiting.taken
        ((holder_id, known),) = journal.record_snapshots([waiting])
        if not known or taken.data.get("request_id"):  # one request is one picture
            return known
        key, sha256 = waiting.keys[0], taken.data["sha256"]
        holder = journal.holders([(taken.organisation, key)]).get((taken.organisation, key))
        if holder is None or holder.sha256 == sha256:
            return True
        log.warning(
            "a key of %s was used again for another picture while the journal was away: %s is kept "
            "beside %s",
            taken.subject,
            taken.snapshot_id,
            holder_id,
            extra={"action": "key_reused", "camera": taken.subject},
        )
        apart = replace(waiting, keys=(with_hash(key, sha256),))
        ((_, known),) = journal.record_snapshots([apart])
        return known

    def _publish(self) -> int:
        before = self._open_before or self._now() - timedelta(seconds=UNPUBLISHED_S)
        unpublished = self._recovery.unpublished(before, BATCH)
        chosen = self._announced.new(unpublished, key=lambda event: event.id)
        if chosen:
            reach("reconciler.before_publish")
        self._context.announce([replace(event, extra={REPEATED: True}) for event in chosen])
        if chosen:
            reach("reconciler.published")
        self._announced.add(event.id for event in chosen)
        return len(chosen)

    def _deliver_all(self, before: datetime) -> int:
        delivered, after = 0, 0
        while True:
            owed = self._recovery.forgotten(before, BATCH, after)
            delivered += self._deliver(owed)
            if len(owed) < BATCH:
                return delivered
            after = owed[-1].seq

    def _overdue(self) -> list[Owed]:
        """Forgotten events, except those still waiting in the queue of a service that makes
        progress."""
        moment = self._now()
        if abs(moment - self._none_at) < self._grace / LOOKS:
            return []
        forgotten = self._recovery.forgotten(moment - self._grace, BATCH)
        self._none_at = LONG_AGO if forgotten else moment
        progresses: dict[str, bool] = {}
        reached: dict[str, datetime | None] = {}
        chosen = []
        for one in forgotten:
            if one.service not in progresses:
                latest = self._recovery.last_progress(one.service)
                progresses[one.service] = bool(latest and moment - latest < self._grace)
                reached[one.service] = self._recovery.reached(one.service)
            newest = reached[one.service]
            # A queue keeps order: an event published long before one that the service has finished
            # is not in it, for example because the broker started empty after it.
            passed = newest is not None and newest - one.published_at > self._grace
            if not progresses[one.service] or passed or moment - one.recorded_at > OVERDUE:
                chosen.append(one)
        return chosen

    def _deliver(self, owed: Sequence[Owed]) -> int:
        """Deliver again to running services; the queue of a stopped one keeps its messages."""
        if not owed:
            return 0
        running = {
            status.service
            for status in self._context.journal.read.service_status()
            if self._now() - status.seen_at < ALIVE
        }
        chosen: dict[str, list[Owed]] = defaultdict(list)
        for one in self._delivered.new(owed, key=_delivery):
            if self._open_before or one.service in running:
                chosen[one.service].append(one)
        for service, its in chosen.items():
            reach("reconciler.before_deliver")
            self._context.redeliver(service, [one.event for one in its])
            reach("reconciler.delivered")
            self._delivered.add(map(_delivery, its))
        return sum(map(len, chosen.values()))


class Recently:
    """Keys of what was done within the last ``seconds``."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._done: dict[Hashable, float] = {}

    def new(self, things: Iterable[T], key: Callable[[T], Hashable]) -> list[T]:
        """The things whose key was not added recently."""
        limit = time.monotonic() - self._seconds
        self._done = {each: at for each, at in self._done.items() if at > limit}
        return [thing for thing in things if key(thing) not in self._done]

    def add(self, keys: Iterable[Hashable]) -> None:
        """Add keys of what is done now."""
        self._done |= dict.fromkeys(keys, time.monotonic())


def _delivery(owed: Owed) -> Hashable:
    return owed.service, owed.event.id, owed.attempts, owed.tried_at
