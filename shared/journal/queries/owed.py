"""Which events a service has not answered, and which of them it is to try again now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, select

from shared.events import Event
from shared.journal.mapping import as_event
from shared.journal.schema import UNFINISHED, events, subscriptions, work

FUTURE = timedelta(minutes=1)
"""What was written later than this from now was written before the clock was put back: its times
mean nothing, and nobody waits for them."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A published event that a service has not answered, after so many attempts."""

    service: str
    event: Event
    recorded_at: datetime
    published_at: datetime
    attempts: int
    seq: int
    tried_at: datetime | None = None


# The service and its attempts beside the event it has not finished.
OPEN_WORK = (
    select(work.c.service, work.c.attempts, work.c.updated_at, events)
    .join(events, events.c.id == work.c.event_id)
    .where(UNFINISHED, events.c.published_at.is_not(None))
)


def due(
    connection: Connection, now: datetime, limit: int, newest_first: Collection[str] = ()
) -> list[Owed]:
    """Retries whose time has come, the longest waiting first, and so many of each service that a
    long line of one holds up no other. What waited for the same peer is due at the same time: then
    the oldest comes first, or the newest for services in ``newest_first``."""
    its_time = (work.c.next_attempt_at <= now) | (work.c.updated_at > now + FUTURE)
    waiting = UNFINISHED & (work.c.status == "retry") & its_time
    found: list[Owed] = []
    for row in connection.execute(select(work.c.service).where(waiting).distinct()).all():
        mine = waiting & (work.c.service == row.service)
        since = work.c.updated_at
        order = since.desc() if row.service in newest_first else since
        first = select(work.c.event_id).where(mine).order_by(work.c.next_attempt_at, order)
        query = OPEN_WORK.where(mine, work.c.event_id.in_(first.limit(limit)))
        found += rows_owed(connection, query.order_by(work.c.next_attempt_at, order))
    return found


def count(connection: Connection, service: str) -> int:
    """How many events a service has not finished, tried or not; the dead don't count."""
    mine = UNFINISHED & (work.c.service == service) & (work.c.status != "dead")
    total = connection.execute(select(func.count()).select_from(work).where(mine)).scalar_one()
    topics = select(subscriptions).where(subscriptions.c.service == service)
    for row in connection.execute(topics).all():
        fresh = unanswered(service, row.topic, row.settled_seq).order_by(None).subquery()
        total += connection.execute(select(func.count()).select_from(fresh)).scalar_one()
    return int(total)


def unanswered(service: str, topic: str, after: int) -> Select[Any]:
    """Events of a topic behind a place in the journal that a service has no row for, in order."""
    answer = (work.c.service == service) & (work.c.event_id == events.c.id)
    return (
        select(events)
        .outerjoin(work, answer)
        .where(events.c.topic == topic, events.c.seq > after, work.c.event_id.is_(None))
        .order_by(events.c.seq)
    )


def rows_owed(connection: Connection, query: Select[Any]) -> list[Owed]:
    return [
        Owed(
            service=row.service,
            event=as_event(row),
            recorded_at=row.recorded_at,
            published_at=row.published_at,
            attempts=row.attempts,
            seq=row.seq,
            tried_at=row._mapping.get("updated_at"),
        )
        for row in connection.execute(query)
    ]
