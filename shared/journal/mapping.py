"""Events and snapshots as rows of the journal, and events back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from shared.errors import ForeignEvent
from shared.events import FOREIGN, Event
from shared.failpoint import reach
from shared.journal.projection import apply
from shared.journal.schema import events
from shared.journal.statements import insert_all_new


def record(
    connection: Connection,
    happened: Sequence[Event],
    now: datetime,
    *,
    published: Sequence[Event] = (),
) -> list[Event]:
    """Record events and bring the read model up to them; returns those that were new. An event
    that is ``published`` already is known, or another program put it on the bus: then it is
    recorded as such. Raises ForeignEvent for what other programs may not say."""
    rows = [{**as_row(event, now), "published_at": now} for event in published]
    rows += [{**as_row(event, now), "published_at": None} for event in happened]
    new = insert_all_new(connection, events, rows) if rows else set()
    for event in published:
        if event.id in new:
            may_be_foreign(event)
    fresh = []
    for event in (*published, *happened):
        if event.id in new:
            new.remove(event.id)
            reach("journal.between_event_and_state")
            apply(connection, event)
            if event not in published:
                fresh.append(event)
    return fresh


def may_be_foreign(event: Event) -> None:
    """Raise ForeignEvent for an event that is not in the journal, unless anybody may say it."""
    if event.topic not in FOREIGN:
        raise ForeignEvent("no service of ours committed it")


def as_row(event: Event, now: datetime) -> dict[str, Any]:
    """The row of an event recorded now."""
    return {
        "id": event.id,
        "topic": event.topic,
        "subject": event.subject,
        "source": event.source,
        "snapshot_id": event.snapshot_id,
        "organisation": event.organisation,
        "time": event.time,
        "recorded_at": now,
        "trace": event.trace,
        "baggage": event.baggage,
        "cause": event.cause,
        "data": dict(event.data),
    }


def as_event(row: Row[Any]) -> Event:
    """The event in a row that has the columns of ``events``."""
    columns = row._mapping
    return Event(
        id=columns["id"],
        topic=columns["topic"],
        subject=columns["subject"],
        time=columns["time"],
        data=columns["data"],
        source=columns["source"],
        snapshot_id=columns["snapshot_id"],
        cause=columns["cause"],
        trace=columns["trace"],
        baggage=columns["baggage"],
        organisation=columns["organisation"],
    )
