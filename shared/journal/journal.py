"""What services write to the journal: arrivals, events, and what became of each event.

Every method is one transaction, may be called from any thread, may be repeated without harm, and
raises JournalUnavailable when the database can't be reached (what happened then is unknown; ask
again). shared/journal/queries holds what is only read.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, update

from shared.errors import JournalUnavailable, StoreMissing
from shared.events import Event
from shared.events import now as utc_now
from shared.failpoint import reach
from shared.journal.catalogue import Answer, Candidate, Holder, Key, holders, record_snapshots
from shared.journal.database import Database
from shared.journal.facts import Facts
from shared.journal.group_commit import GroupCommit
from shared.journal.manifests import Manifests
from shared.journal.mapping import record
from shared.journal.marks import Attempt, due_when_waiting, mark, next_attempt, wake
from shared.journal.owned import Change, Owned, OwnedTable, Row
from shared.journal.queries.audit import Audit
from shared.journal.queries.order import Order
from shared.journal.queries.recovery import Recovery
from shared.journal.queries.snapshots import Reader
from shared.journal.schema import events, service_status
from shared.journal.statements import upsert
from shared.journal.subscriptions import LOOK_BACK, subscribe

FORGET_STATUS = timedelta(days=1)


class Journal:
    """The journal in one database. ``clock`` tells the time for tests."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._group = GroupCommit(database.writing, batch=database.batch)
        self._now = clock
        self.read = Reader(database, clock)
        self.recovery = Recovery(database, clock)
        self.audit = Audit(database)
        self.facts = Facts(database)
        self.order = Order(database)
        self.manifests = Manifests(database)

    @classmethod
    def open(
        cls, url: str, *, owner: bool = True, clock: Callable[[], datetime] = utc_now
    ) -> Journal:
        """Open and migrate. ``owner=False`` is for short-lived tools beside a running process, and
        makes nothing that is not there. Raises ConfigError or JournalUnavailable."""
        database = Database(url, owner=owner)
        journal = cls(database, clock)
        try:
            if owner:
                database.migrate()
            else:
                database.check()
        except BaseException:
            journal.close()
            raise
        return journal

    @classmethod
    def unprepared(cls, url: str, page: str = "") -> Journal:
        """A journal that is unavailable until ``prepare`` succeeds. Raises ConfigError; when it is
        another process's, that one's ``page`` is named."""
        database = Database(url, page=page)
        database.obstacle = JournalUnavailable("the database was not reached yet")
        return cls(database)

    def prepare(self, store_id: str) -> None:
        """Migrate, and tie the journal to its store. Raises JournalUnavailable; and StoreMissing
        when it knows another store, which every other call raises from then on."""
        self._database.migrate()
        try:
            self.facts.belongs_to(store_id, preparing=True)
        except StoreMissing as error:
            self._database.obstacle = error
            raise
        self._database.obstacle = None

    def close(self) -> None:
        self._group.close()
        self._database.close()

    def record_snapshots(self, candidates: Sequence[Candidate]) -> list[Answer]:
        """Catalogue stored pictures that are new, each together with its ``snapshot.taken``."""
        answers: list[Answer] = []

        def job(connection: Connection) -> None:
            nonlocal answers
            answers = record_snapshots(connection, candidates, self._now())

        self._group.run(job, quick=True)
        return answers

    def record_snapshot(
        self, taken: Event, keys: Sequence[str], *, repeats_since: datetime
    ) -> Answer:
        """The same for one."""
        return self.record_snapshots([Candidate(taken, tuple(keys), repeats_since)])[0]

    def holders(self, keys: Sequence[Key]) -> dict[Key, Holder]:
        """Which snapshots have these dedupe keys; waits no longer than who records does."""
        found: dict[Key, Holder] = {}

        def job(connection: Connection) -> None:
            found.update(holders(connection, keys))

        self._group.run(job, quick=True)
        return found

    def append(self, happened: Sequence[Event]) -> list[Event]:
        """Record events that came from outside; returns those that were new."""
        fresh: list[Event] = []

        def job(connection: Connection) -> None:
            nonlocal fresh
            fresh = record(connection, happened, self._now())

        self._group.run(job, quick=True)
        return fresh

    def begin(self, service: str, event: Event, *, redelivered: bool) -> Attempt:
        """A service's attempt at an event it was given. A redelivery is counted before the work, so
        that an event which kills its worker is known by its attempts. Raises ForeignEvent, also
        for an event that is not as the journal has it."""
        with self._database.reading() as connection:
            attempt = next_attempt(connection, service, event)
        if redelivered and not attempt.done:
            with self._database.writing() as connection:
                now, peer = self._now(), attempt.waited_for
                mark(connection, service, event, "tried", attempt.attempts, now, waiting_for=peer)
        return attempt

    def finish(
        self,
        service: str,
        event: Event,
        outputs: Sequence[Event],
        *,
        attempts: int = 1,
        changes: Sequence[Change] = (),
        waited_for: str = "",
    ) -> list[Event]:
        """The service is done with the event: its outputs, the changes of its own tables and the
        handled mark, together. Returns the outputs that were new: what another process said before
        is what holds. What waits for the same peer as this event did is due now. Raises Stale, and
        ForeignEvent when none of our services committed the event."""
        fresh: list[Event] = []

        def job(connection: Connection) -> None:
            nonlocal fresh
            now = self._now()
            # A request that another program put on the bus is recorded with its first answer.
            fresh = record(connection, outputs, now, published=[event])
            for change in changes:
                change.apply(connection, service)
            reach("journal.before_mark")
            mark(connection, service, event, "done", attempts, now)
            if waited_for:
                wake(connection, service, waited_for, now)

        self._group.run(job, quick=not changes)
        return fresh

    def fail(
        self,
        service: str,
        event: Event,
        error: str,
        *,
        attempts: int,
        retry_after_s: float | None,
        waiting_for: str = "",
        waited_for: str = "",
    ) -> None:
        """The work failed: it is due again after a time, or dead when that is None. What another
        process is done with stays done. ``waiting_for`` is the peer that is away: then it is due
        after that time if nothing else probes the peer, and else once the peer is back. Raises
        ForeignEvent."""

        def job(connection: Connection) -> None:
            now = self._now()
            record(connection, [], now, published=[event])
            due = None if retry_after_s is None else now + timedelta(seconds=retry_after_s)
            if waiting_for and retry_after_s is not None:
                due = due_when_waiting(connection, service, event, waiting_for, now, retry_after_s)
            status = "dead" if due is None else "retry"
            mark(
                connection, service, event, status, attempts, now,
                due=due, error=error, waiting_for=waiting_for,
            )  # fmt: skip
            if waited_for and waited_for != waiting_for:
                wake(connection, service, waited_for, now)

        self._group.run(job)

    def mark_published(self, event_ids: Sequence[str]) -> None:
        """The broker confirmed these events."""
        unmarked = events.c.id.in_(event_ids) & events.c.published_at.is_(None)

        def job(connection: Connection) -> None:
            connection.execute(update(events).where(unmarked).values(published_at=self._now()))

        self._group.run(job, quick=True)

    def subscribe(
        self, service: str, topics: Sequence[str], history: timedelta = LOOK_BACK
    ) -> None:
        """From now on this service owes answers to these topics; at its first time also for so much
        that happened before: doors open before all else runs."""
        with self._database.writing() as connection:
            subscribe(connection, service, topics, self._now(), history)

    def report(self, service: str, started_at: datetime, about: Mapping[str, Any]) -> None:
        """What this process says of a service it runs."""
        with self._database.writing() as connection:
            row = {
                "service": service, "instance": socket.gethostname(), "started_at": started_at,
                "seen_at": self._now(), "about": dict(about),
            }  # fmt: skip
            upsert(connection, service_status, [row])
            # Each container has a name of its own; those that went must not fill the page.
            long_gone = service_status.c.seen_at < self._now() - FORGET_STATUS
            connection.execute(delete(service_status).where(long_gone))

    def change(self, owner: str, changes: Sequence[Change], happened: Sequence[Event] = ()) -> None:
        """Change tables of their owner outside any handler, together with events. Raises Stale."""

        def job(connection: Connection) -> None:
            record(connection, happened, self._now())
            for change in changes:
                change.apply(connection, owner)

        self._group.run(job)

    def owned(self, table: OwnedTable[Row]) -> Owned[Row]:
        """What is in a table of one service."""
        return Owned(self._database, table)
