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

from sqlalchemy import ColumnElement, Connection, delete, func, literal, select, update

from shared.errors import JournalUnavailable, StoreMissing
from shared.events import Event
from shared.events import now as utc_now
from shared.failpoint import reach
from shared.journal.catalogue import Answer, Candidate, record_snapshots
from shared.journal.database import Database
from shared.journal.facts import Facts
from shared.journal.group_commit import GroupCommit
from shared.journal.mapping import record
from shared.journal.queries.audit import Audit
from shared.journal.queries.recovery import Recovery
from shared.journal.queries.snapshots import Reader
from shared.journal.schema import events, service_status, subscriptions, work
from shared.journal.statements import insert_new, upsert
from shared.text import storable

ERROR_CHARACTERS = 2000
LOOK_BACK = timedelta(days=1)
FORGET_STATUS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A service's turn with an event. ``attempts`` counts this one too; ``unended`` says that the
    last one began and neither finished nor failed: its process ended."""

    done: bool
    attempts: int
    unended: bool = False


class Journal:
    """The journal in one database. ``clock`` tells the time for tests."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._group = GroupCommit(database.writing)
        self._now = clock
        self.read = Reader(database, clock)
        self.recovery = Recovery(database, clock)
        self.audit = Audit(database)
        self.facts = Facts(database)

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

        self._group.run(job)
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

        self._group.run(job)
        return fresh

    def begin(self, service: str, event: Event, *, redelivered: bool) -> Attempt:
        """A service's turn with an event it was given. A redelivery is counted before the work, so
        that an event which kills its worker is known by its attempts."""
        mine = (work.c.service == service) & (work.c.event_id == event.id)
        with self._database.reading() as connection:
            row = connection.execute(select(work.c.status, work.c.attempts).where(mine)).first()
        if row and row.status in ("done", "dead"):
            return Attempt(done=True, attempts=row.attempts)
        attempts = (row.attempts if row else 0) + 1
        if redelivered:
            with self._database.writing() as connection:
                self._mark(connection, service, event, "tried", attempts)
        return Attempt(False, attempts, unended=bool(row and row.status == "tried"))

    def finish(
        self, service: str, event: Event, outputs: Sequence[Event], *, attempts: int = 1
    ) -> list[Event]:
        """The service is done with the event: its outputs and the handled mark, together. Returns
        the outputs that were new: what another process said before is what holds."""
        fresh: list[Event] = []

        def job(connection: Connection) -> None:
            nonlocal fresh
            now = self._now()
            # An event that another program put on the bus is recorded with its first answer.
            fresh = record(connection, outputs, now, published=[event])
            reach("journal.before_mark")
            self._mark(connection, service, event, "done", attempts)

        self._group.run(job)
        return fresh

    def fail(
        self,
        service: str,
        event: Event,
        error: str,
        *,
        attempts: int,
        retry_after_s: float | None,
    ) -> None:
        """The work failed: it is due again after a time, or dead when that is None. What another
        process is done with stays done."""

        def job(connection: Connection) -> None:
            now = self._now()
            record(connection, [], now, published=[event])
            due = None if retry_after_s is None else now + timedelta(seconds=retry_after_s)
            status = "dead" if due is None else "retry"
            self._mark(connection, service, event, status, attempts, due, error)

        self._group.run(job)

    def _mark(
        self,
        connection: Connection,
        service: str,
        event: Event,
        status: str,
        attempts: int,
        due: datetime | None = None,
        error: str | None = None,
    ) -> None:
        row = {
            "service": service,
            "event_id": event.id,
            "organisation": event.organisation,
            "status": status,
            "attempts": attempts,
            "next_attempt_at": due,
            "error": storable(error, ERROR_CHARACTERS) if error else None,
            "updated_at": self._now(),
        }
        # What is done stays done, and what is dead until somebody replays it, although the same
        # event may be in the hands of another process just now.
        upsert(connection, work, [row], where=None if status == "done" else _not_ended)

    def mark_published(self, event_ids: Sequence[str]) -> None:
        """The broker confirmed these events."""
        unmarked = events.c.id.in_(event_ids) & events.c.published_at.is_(None)

        def job(connection: Connection) -> None:
            connection.execute(update(events).where(unmarked).values(published_at=self._now()))

        self._group.run(job)

    def subscribe(self, service: str, topics: Sequence[str]) -> None:
        """From now on this service owes answers to these topics; at its first time also for the
        last day, since doors open before all else runs."""
        older = events.c.recorded_at < self._now() - LOOK_BACK
        newest = select(func.coalesce(func.max(events.c.seq), 0)).where(older)
        with self._database.writing() as connection:
            settled = connection.execute(newest).scalar()
            for topic in topics:
                row = {"service": service, "topic": topic, "since": self._now()}
                row["settled_seq"] = settled
                insert_new(connection, subscriptions, row)
            gone = (subscriptions.c.service == service) & subscriptions.c.topic.not_in(topics)
            connection.execute(subscriptions.delete().where(gone))

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

    def belongs_to(self, store_id: str) -> None:
        """Tie this journal to its store. Raises StoreMissing when it knows another one."""
        self.facts.belongs_to(store_id)


def _not_ended(_new: Any) -> ColumnElement[bool]:
    return work.c.status.not_in([literal("done"), literal("dead")])
