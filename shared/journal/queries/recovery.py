"""What was committed but not carried through: the reconciler's and the operator's view of work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, literal, select, update

from shared.events import Event
from shared.journal.database import Database
from shared.journal.mapping import as_event
from shared.journal.queries.owed import FUTURE, OPEN_WORK, Owed, count, due, rows_owed, unanswered
from shared.journal.queries.view import EVERYTHING, View
from shared.journal.schema import UNFINISHED, events, subscriptions, work

OPEN = ("retry", "dead", "tried")
SETTLE_LAG = timedelta(minutes=2)
"""Events commit out of order, so only events this old count as all there."""

LATELY = 20
"""So many events were finished lately."""

MOST_COUNTED = 1000
"""From here on more are not counted."""


@dataclass(frozen=True, slots=True)
class WorkItem:
    """What a service did with an event that is not done."""

    service: str
    event: Event
    status: str
    attempts: int
    next_attempt_at: datetime | None
    error: str
    updated_at: datetime


class Recovery:
    """Finds and revives forgotten work. Any thread; raises JournalUnavailable."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._now = clock
        self._there = 0

    def unpublished(self, before: datetime, limit: int) -> list[Event]:
        """Events recorded by then that no broker has confirmed, oldest first."""
        query = (
            select(events)
            .where(events.c.published_at.is_(None), self._by(events.c.recorded_at, before))
            .order_by(events.c.seq)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [as_event(row) for row in connection.execute(query)]

    def due(self, limit: int, newest_first: Collection[str] = ()) -> list[Owed]:
        """Retries whose time has come, as ``owed.due`` says."""
        with self._database.reading() as connection:
            return due(connection, self._now(), limit, newest_first)

    def owed(self, service: str) -> int:
        """How many events a service has not finished, tried or not; the dead don't count."""
        with self._database.reading() as connection:
            return count(connection, service)

    def forgotten(self, before: datetime, limit: int, after: int = 0) -> list[Owed]:
        """Published events recorded or last tried by then that their service has not answered,
        oldest first; ``after`` is the place in the journal where the last page ended."""
        tried = OPEN_WORK.where(work.c.status == "tried", self._by(work.c.updated_at, before))
        tried = tried.where(events.c.seq > after).order_by(events.c.seq).limit(limit)
        with self._database.reading() as connection:
            found = rows_owed(connection, tried)
            for row in connection.execute(select(subscriptions)).all():
                since = max(row.settled_seq, after)
                query = unanswered(row.service, row.topic, since).where(
                    self._by(events.c.recorded_at, before), events.c.published_at.is_not(None)
                )
                query = query.add_columns(literal(row.service).label("service"))
                query = query.add_columns(literal(0).label("attempts"))
                found += rows_owed(connection, query.limit(limit))
        return sorted(found, key=lambda owed: owed.seq)[:limit]

    def _by(self, written_at: ColumnElement[Any], moment: datetime) -> ColumnElement[bool]:
        return (written_at <= moment) | (written_at > self._now() + FUTURE)

    def stuck(self, service: str, longer_than_s: float) -> str:
        """What a service has owed for too long while finishing nothing; empty: it moves."""
        count, oldest = 0, None
        with self._database.reading() as connection:
            mine = select(subscriptions).where(subscriptions.c.service == service)
            for row in connection.execute(mine).all():
                query = unanswered(service, row.topic, row.settled_seq).limit(MOST_COUNTED)
                query = query.with_only_columns(events.c.recorded_at)
                times = connection.execute(query).scalars().all()
                count += len(times)
                oldest = min([*times, oldest or self._now()])
        if not count or oldest is None:
            return ""
        quiet_since = max(oldest, self.last_progress(service) or oldest)
        quiet_s = (self._now() - quiet_since).total_seconds()
        if quiet_s < longer_than_s:
            return ""
        what = f"{count} events" if count < MOST_COUNTED else f"{count} events or more"
        return f"owes {what} and has finished nothing for {quiet_s:.0f} s"

    def last_progress(self, service: str) -> datetime | None:
        """When a service last finished anything."""
        query = select(func.max(work.c.updated_at)).where(work.c.service == service)
        with self._database.reading() as connection:
            return connection.execute(query).scalar()

    def reached(self, service: str) -> datetime | None:
        """When the newest of the events that a service finished lately was published."""
        done = (work.c.service == service) & (work.c.status == "done")
        latest = (
            select(work.c.event_id).where(done).order_by(work.c.updated_at.desc()).limit(LATELY)
        )
        query = select(func.max(events.c.published_at)).where(events.c.id.in_(latest))
        with self._database.reading() as connection:
            return connection.execute(query).scalar()

    def advance(self) -> None:
        """Note up to where each subscription is answered, which keeps ``forgotten`` fast. Only
        what was there at the last call counts, since a clock put ahead makes everything old."""
        horizon = self._now() - SETTLE_LAG
        settled = {}
        with self._database.reading() as connection:
            there, self._there = self._there, connection.execute(_NEWEST).scalar() or 0
            for row in connection.execute(select(subscriptions)).all():
                of_topic = (events.c.topic == row.topic) & (events.c.seq > row.settled_seq)
                of_topic &= events.c.seq <= there
                newest = select(func.max(events.c.seq)).where(
                    of_topic, events.c.recorded_at <= horizon
                )
                if (place := connection.execute(newest).scalar()) is None:
                    continue
                query = unanswered(row.service, row.topic, row.settled_seq)
                query = query.with_only_columns(events.c.seq).limit(1)
                first_open = connection.execute(query).scalar()
                if first_open is not None:
                    place = min(place, first_open - 1)
                settled[row.service, row.topic] = place
        with self._database.writing() as connection:
            for (service, topic), place in settled.items():
                mine = (subscriptions.c.service == service) & (subscriptions.c.topic == topic)
                changes = update(subscriptions).where(mine, subscriptions.c.settled_seq < place)
                connection.execute(changes.values(settled_seq=place))

    def items(
        self, status: Sequence[str] = OPEN, limit: int = 100, view: View = EVERYTHING
    ) -> list[WorkItem]:
        """Work that is not done, the latest change first."""
        query = (
            select(work, events)
            .join(events, events.c.id == work.c.event_id)
            .where(UNFINISHED, work.c.status.in_(status))
            .where(view.rows(events.c.organisation, events.c.subject))
            .order_by(work.c.updated_at.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [_as_item(row) for row in connection.execute(query)]

    def replay(
        self, service: str = "", event_id: str = "", snapshot_id: str = "", view: View = EVERYTHING
    ) -> int:
        """Make dead work due again, and what waits for its next attempt due now: all of it, or
        what is named; returns how much."""
        now = self._now()
        waits = (work.c.status == "retry") & (work.c.next_attempt_at > now)
        chosen = UNFINISHED & ((work.c.status == "dead") | waits)
        if service:
            chosen &= work.c.service == service
        if event_id:
            chosen &= work.c.event_id == event_id
        if snapshot_id:
            of_it = select(events.c.id).where(events.c.snapshot_id == snapshot_id)
            chosen &= work.c.event_id.in_(of_it)
        if view != EVERYTHING:
            seen = view.rows(events.c.organisation, events.c.subject)
            chosen &= work.c.event_id.in_(select(events.c.id).where(seen))
        changes = {"status": "retry", "attempts": 0, "next_attempt_at": now, "updated_at": now}
        with self._database.writing() as connection:
            return connection.execute(update(work).where(chosen).values(**changes)).rowcount


_NEWEST = select(func.max(events.c.seq))


def _as_item(row: Row[Any]) -> WorkItem:
    return WorkItem(
        row.service, as_event(row), row.status, row.attempts, row.next_attempt_at,
        row.error or "", row.updated_at,
    )  # fmt: skip
