"""What has been open for longer than it should, and who owes the next step.

Only reads; any thread; raises JournalUnavailable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, exists, func, select

from shared.events import SnapshotAnalyzed, SnapshotRequested, SnapshotTaken
from shared.journal.database import Database
from shared.journal.queries.owed import unanswered
from shared.journal.schema import UNFINISHED, events, snapshots, subscriptions, work

PAGE = 500
_NEXT = {"taken": SnapshotTaken.topic, "analyzed": SnapshotAnalyzed.topic}
"""By state: the event that somebody must answer for the snapshot to go on."""


class Unfinished:
    """Questions about what is not finished."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unpublished(self, before: datetime) -> tuple[int, datetime | None]:
        """How many events recorded by then no broker confirmed, and when the first was (I5)."""
        query = select(func.count(), func.min(events.c.recorded_at)).where(
            events.c.published_at.is_(None), events.c.recorded_at <= before
        )
        with self._database.reading() as connection:
            count, oldest = connection.execute(query).one()
            return count, oldest

    def requests(self, before: datetime) -> list[str]:
        """Requests recorded by then that nothing answers (I12)."""
        answer = events.alias()
        answered = exists().where(answer.c.cause == events.c.id)
        worked = exists().where(work.c.event_id == events.c.id)
        query = select(events.c.id).where(
            events.c.topic == SnapshotRequested.topic,
            events.c.recorded_at <= before,
            ~answered,
            ~worked,
        )
        with self._database.reading() as connection:
            return list(connection.execute(query.order_by(events.c.seq)).scalars())

    def snapshots(self, before: datetime) -> Iterator[tuple[str, str]]:
        """Snapshots received by then that have not come to an end, and why (I6): first those whose
        state is none of an end, then those of which some service still owes something. Those that
        no service of this system takes further are at their end."""
        told = set()
        for snapshot_id, why in self._not_at_an_end(before):
            told.add(snapshot_id)
            yield snapshot_id, why
        for snapshot_id, why in self._owed(before):
            if snapshot_id not in told:
                told.add(snapshot_id)
                yield snapshot_id, why

    def _owed(self, before: datetime) -> Iterator[tuple[str, str]]:
        """What a second analyser or archive has not done yet."""
        of_snapshot = events.c.snapshot_id.is_not(None) & (events.c.recorded_at <= before)
        open_work = (
            select(work, events.c.snapshot_id, events.c.topic, events.c.published_at)
            .join(events, events.c.id == work.c.event_id)
            .where(UNFINISHED, of_snapshot)
            .order_by(events.c.seq)
        )
        with self._database.reading() as connection:
            for row in connection.execute(open_work):
                yield row.snapshot_id, _unended(row.service, row)
            for row in connection.execute(select(subscriptions)).all():
                query = unanswered(row.service, row.topic, row.settled_seq).where(of_snapshot)
                query = query.with_only_columns(events.c.snapshot_id, events.c.topic)
                for found in connection.execute(query):
                    yield found.snapshot_id, f"{row.service} has not answered its {found.topic}"

    def _not_at_an_end(self, before: datetime) -> Iterator[tuple[str, str]]:
        last = ""
        while True:
            query = select(snapshots.c.id, snapshots.c.state).where(
                snapshots.c.state.in_(_NEXT),
                snapshots.c.received_at <= before,
                snapshots.c.id > last,
            )
            with self._database.reading() as connection:
                rows = connection.execute(query.order_by(snapshots.c.id).limit(PAGE)).all()
                if not rows:
                    return
                yield from self._explained(connection, rows)
            last = rows[-1].id

    def _explained(self, connection: Connection, rows: Sequence[Any]) -> Iterator[tuple[str, str]]:
        owing = defaultdict(list)
        for row in connection.execute(select(subscriptions)):
            owing[row.topic].append(row)
        pending = select(events).where(events.c.snapshot_id.in_([row.id for row in rows]))
        of_it = {(row.snapshot_id, row.topic): row for row in connection.execute(pending)}
        ids = [row.id for row in of_it.values()]
        done: dict[tuple[str, str], Any] = {}
        for begin in range(0, len(ids), PAGE):
            query = select(work).where(work.c.event_id.in_(ids[begin : begin + PAGE]))
            done |= {(row.service, row.event_id): row for row in connection.execute(query)}
        for row in rows:
            event = of_it.get((row.id, _NEXT[row.state]))
            services = owing[_NEXT[row.state]]
            if event is not None and services:
                states = [
                    _why(each, event, done.get((each.service, event.id))) for each in services
                ]
                why = next(filter(None, states), "nobody owes it anything")
                yield row.id, f"is {row.state}: {why}"


def _why(subscription: Row[Any], event: Row[Any], did: Row[Any] | None) -> str:
    """What a service has still to do with an event; empty: nothing."""
    service = subscription.service
    if did is None:
        if event.seq <= subscription.settled_seq:
            return ""
        if event.published_at is None:
            return f"its {event.topic} is not published"
        return f"{service} has not answered"
    return _unended(service, did)


def _unended(service: str, did: Row[Any]) -> str:
    """What became of work so far; empty: it is done."""
    match did.status:
        case "dead":
            return f"{service} gave up: {did.error}"
        case "retry":
            return f"{service} will try again: {did.error}"
        case "tried":
            return f"{service} began it {did.attempts} times"
    return ""
