"""What the page asks about one case: what a request led to, what holds up a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import ColumnElement, Table, select

from shared.events import Event
from shared.journal.database import Database
from shared.journal.mapping import as_event
from shared.journal.queries.view import EVERYTHING, View
from shared.journal.schema import UNFINISHED, events, snapshots, work

ANSWER_WINDOW = 500
"""The answer to a request is looked for among so many events of its camera after it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event with its place in the journal."""

    seq: int
    event: Event
    recorded_at: datetime
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenWork:
    """What a service did with an event of a snapshot and is not done with."""

    service: str
    event_id: str
    topic: str
    status: str
    attempts: int
    next_attempt_at: datetime | None
    error: str | None
    updated_at: datetime


class Cases:
    """Looks into single cases. Any thread; raises JournalUnavailable."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._now = clock
        self._view = EVERYTHING

    def within(self, view: View) -> Self:
        """The same, but of what this view sees only: all else does not exist for it."""
        limited = copy(self)
        limited._view = view
        return limited

    def event(self, event_id: str) -> Recorded | None:
        """One event, or None."""
        found = self._recorded(select(events).where(events.c.id == event_id))
        return found[0] if found else None

    def events_at(self, places: Sequence[int]) -> list[Recorded]:
        """Those of these places in the journal that are committed by now."""
        query = select(events).where(events.c.seq.in_(places)).order_by(events.c.seq)
        return self._recorded(query)

    def story(self, snapshot_id: str) -> list[Recorded]:
        """Every event of a snapshot in the order of the journal."""
        query = select(events).where(events.c.snapshot_id == snapshot_id).order_by(events.c.seq)
        return self._recorded(query)

    def answers(self, request: Recorded) -> list[Recorded]:
        """The events that this one led to directly, the first first."""
        query = (
            select(events)
            .where(events.c.subject == request.event.subject, events.c.seq > request.seq)
            .order_by(events.c.seq)
            .limit(ANSWER_WINDOW)
        )
        return [each for each in self._recorded(query) if each.event.cause == request.event.id]

    def ahead(self, event_id: str, moment: datetime) -> str:
        """The id of the first event of the same kind and subject that was recorded after this one
        although it tells of a time later than ``moment``; empty: there is none."""
        this = self.event(event_id)
        if this is None:
            return ""
        query = select(events.c.id).where(
            events.c.subject == this.event.subject,
            events.c.seq > this.seq,
            events.c.topic == this.event.topic,
            events.c.time > moment,
        )
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(events.c.seq).limit(1)).scalar()
        return found or ""

    def open_work(self, snapshot_id: str = "", event_id: str = "") -> list[OpenWork]:
        """What is not done of the events of a snapshot, or of one event."""
        chosen = events.c.snapshot_id == snapshot_id if snapshot_id else events.c.id == event_id
        columns = [column for column in work.c if column.name in OpenWork.__slots__]
        query = (
            select(*columns, events.c.topic)
            .join(events, events.c.id == work.c.event_id)
            .where(chosen, UNFINISHED, self._seen(events))
            .order_by(work.c.updated_at)
        )
        with self._database.reading() as connection:
            return [OpenWork(**row._mapping) for row in connection.execute(query)]

    def last_snapshots(self, cameras: Sequence[str]) -> dict[str, str]:
        """The id of the newest snapshot of each of these cameras that has any."""
        newest = {}
        with self._database.reading() as connection:
            for camera in cameras:
                of_it = select(snapshots.c.id).where(
                    snapshots.c.camera == camera, self._seen(snapshots)
                )
                query = of_it.order_by(snapshots.c.id.desc()).limit(1)
                if found := connection.execute(query).scalar():
                    newest[camera] = found
        return newest

    def known_keys(self, keys: Sequence[str]) -> set[str]:
        """Which of these dedupe keys have a snapshot."""
        with self._database.reading() as connection:
            query = select(snapshots.c.dedupe_key).where(snapshots.c.dedupe_key.in_(keys))
            return set(connection.execute(query).scalars())

    def _recorded(self, query: Any) -> list[Recorded]:
        with self._database.reading() as connection:
            rows = connection.execute(query.where(self._seen(events))).all()
        return [Recorded(row.seq, as_event(row), row.recorded_at, row.published_at) for row in rows]

    def _seen(self, table: Table) -> ColumnElement[bool]:
        """The condition for rows of ``events`` or ``snapshots`` that the view sees."""
        camera = table.c.subject if table is events else table.c.camera
        return self._view.rows(table.c.organisation, camera)
