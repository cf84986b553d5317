"""Which topics a service answers, and from which event on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from shared.journal.schema import events, subscriptions
from shared.journal.statements import insert_new

LOOK_BACK = timedelta(days=1)


def subscribe(
    connection: Connection, service: str, topics: Sequence[str], now: datetime, history: timedelta
) -> None:
    """Note that the service owes answers to these topics; to one that is new to it also for so much
    that happened before."""
    older = events.c.recorded_at <= now - history
    answered = connection.execute(
        select(func.coalesce(func.max(events.c.seq), 0)).where(older)
    ).scalar()
    for topic in topics:
        row = {"service": service, "topic": topic, "since": now, "settled_seq": answered}
        insert_new(connection, subscriptions, row)
    gone = (subscriptions.c.service == service) & subscriptions.c.topic.not_in(topics)
    connection.execute(subscriptions.delete().where(gone))
