"""The order of one camera's events, for services that asked for it. Only reads; any thread."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Select, and_, select

from shared.events import Event
from shared.journal.database import Database
from shared.journal.mapping import as_event
from shared.journal.schema import events, subscriptions, work


class Order:
    """Which event of a camera comes next for a service: the places in the journal decide. Raises
    JournalUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def comes_first(self, service: str, topics: Collection[str], event: Event) -> str:
        """The id of an earlier event of the same subject that the service has not ended; empty:
        it is this one's turn. Dead work has ended."""
        with self._database.reading() as connection:
            place = select(events.c.seq).where(events.c.id == event.id)
            seq = connection.execute(place).scalar()
            if seq is None:  # put on the bus by another program, and not recorded yet
                return ""
            query = _open(service, topics, event).where(events.c.seq < seq)
            first = connection.execute(query.limit(1)).first()
        return str(first.id) if first else ""

    def next_of(self, service: str, topics: Collection[str], event: Event) -> Event | None:
        """The first event of the same subject that the service tried and put back."""
        query = _open(service, topics, event).where(work.c.status == "retry")
        with self._database.reading() as connection:
            row = connection.execute(query.limit(1)).first()
        return as_event(row) if row else None


def _open(service: str, topics: Collection[str], event: Event) -> Select[tuple[object, ...]]:
    """Events of a subject that a service owes an answer to, in their order."""
    answer = and_(work.c.service == service, work.c.event_id == events.c.id)
    owes = and_(
        subscriptions.c.service == service,
        subscriptions.c.topic == events.c.topic,
        subscriptions.c.settled_seq < events.c.seq,
    )
    return (
        select(events)
        .join(subscriptions, owes)
        .outerjoin(work, answer)
        .where(
            events.c.subject == event.subject,
            events.c.organisation == event.organisation,
            events.c.topic.in_(topics),
            work.c.status.is_(None) | work.c.status.in_(("retry", "tried")),
        )
        .order_by(events.c.seq)
    )
