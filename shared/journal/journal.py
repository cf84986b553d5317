"""What services write to the journal: arrivals, events, and what became of each event.

Every method is one transaction, may be called from any thread, may be repeated without harm, and
raises JournalUnavailable when the database can't be reached (what happened then is unknown; ask
again). shared/journal/queries holds what is only read.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, update

from shared.errors import JournalUnavailable, StoreMissing
from shared.events import Event
from shared.events import now as utc_now
from shared.failpoint import reach
from shared.journal.catalogue import Answer, Candidate, record_snapshots
from shared.journal.database import Database
from shared.journal.facts import Facts
from shared.journal.group_commit import GroupCommit
from shared.journal.mapping import record
from shared.journal.marks import due_when_waiting, mark, wake
from shared.journal.owned import Change, Owned, OwnedTable, Row
from shared.journal.queries.audit import Audit
from shared.journal.queries.order import Order
from shared.journal.queries.recovery import Recovery
from shared.journal.queries.snapshots import Reader
from shared.journal.schema import events, service_status, work
from shared.journal.statements import upsert
from shared.journal.subscriptions import LOOK_BACK, subscribe

FORGET_STATUS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A service's attempt at an event. ``attempts`` counts this one too; ``unended`` says that the
    last one began and neither finished nor failed: its process ended. ``waited_for`` is the place
    that was away at the last one."""

    done: bool
    attempts: int
    unended: bool = False
    waited_for: str = ""


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
    def unprepared(cls, url: str) -> Journal:
        """A journal that is unavailable until ``prepare`` succeeds. Raises ConfigError."""
        database = Database(url)
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
        that an event which kills its worker is known by its attempts."""
        mine = (work.c.service == service) & (work.c.event_id == event.id)
        with self._database.reading() as connection:
            known = select(work.c.status, work.c.attempts, work.c.waiting_for).where(mine)
            row = connection.execute(known).first()
        if row and row.status in ("done", "dead"):
            return Attempt(done=True, attempts=row.attempts)
        attempts = (row.attempts if row else 0) + 1
        waited_for = str(row.waiting_for or "") if row else ""
        if redelivered:
            with self._database.writing() as connection:
                now = self._now()
                mark(connection, service, event, "tried", attempts, now, waiting_for=waited_for)
        return Attempt(False, attempts, bool(row and row.status == "tried"), waited_for)

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
        is what holds. What waits for the same place as this event did is due now. Raises Stale."""
        fresh: list[Event] = []

        def job(connection: Connection) -> None:
            nonlocal fresh
            now = self._now()
            # An event that another program put on the bus is recorded with its first answer.
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
        process is done with stays done. ``waiting_for`` is the place that is away: then it is due
        after that time if nothing else probes the place, and else once the place is back."""

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
                "service": service,
                "instance": socket.gethostname(),
                "started_at": started_at,
                "seen_at": self._now(),
                "about": dict(about),
            }
            upsert(connection, service_status, [row])
            # Each container has a name of its own; those that went must not fill the page.
            long_gone = service_status.c.seen_at < self._now() - FORGET_STATUS
            connection.execute(delete(service_status).where(long_gone))

    def owned(self, table: OwnedTable[Row]) -> Owned[Row]:
        """What is in a table of one service."""
        return Owned(self._database, table)

    def belongs_to(self, store_id: str) -> None:
        """Tie this journal to its store. Raises StoreMissing when it knows another one."""
        self.facts.belongs_to(store_id)
