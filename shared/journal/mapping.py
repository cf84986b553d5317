"""Events and snapshots as rows of the journal, and events back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select

from shared.events import Event
from shared.failpoint import reach
from shared.journal.projection import apply
from shared.journal.schema import UtcTime, events, snapshots
from shared.journal.statements import Prepared, insert_all_new, insert_new

_KNOWN = Prepared(
    lambda _dialect: select(snapshots.c.id).where(
        snapshots.c.organisation == bindparam("organisation"),
        snapshots.c.dedupe_key.in_([bindparam("key"), bindparam("earlier"), bindparam("later")]),
        snapshots.c.received_at.between(
            bindparam("since", type_=UtcTime), bindparam("until", type_=UtcTime)
        ),
    )
)
_INSERT_EVENT = Prepared(
    lambda _dialect: insert(events).values(
        {column.name: bindparam(column.name) for column in events.c if column.name != "seq"}
    )
)


def record(
    connection: Connection,
    happened: Sequence[Event],
    now: datetime,
    *,
    published: Sequence[Event] = (),
) -> list[Event]:
    """Record events and bring the read model up to them; returns those that were new. An event
    that is ``published`` already is recorded as such, unless it is known."""
    rows = [{**as_row(event, now), "published_at": now} for event in published]
    rows += [{**as_row(event, now), "published_at": None} for event in happened]
    new = insert_all_new(connection, events, rows) if rows else set()
    fresh = []
    for event in (*published, *happened):
        if event.id in new:
            new.remove(event.id)
            reach("journal.between_event_and_state")
            apply(connection, event)
            if event not in published:
                fresh.append(event)
    return fresh


def record_snapshot(
    connection: Connection,
    taken: Event,
    keys: Sequence[str],
    repeats_since: datetime,
    now: datetime,
) -> tuple[str, bool]:
    """Catalogue a stored picture unless it is known; returns its id and whether it was."""
    if known := _known(connection, taken, keys, repeats_since):
        return known, True
    data = taken.data
    row = {
        name: data[name]
        for name in ("camera", "door", "sha256", "size", "media_type", "captured_by")
    }
    row |= {name: datetime.fromisoformat(data[name]) for name in ("captured_at", "received_at")}
    row |= {
        "id": taken.snapshot_id,
        "organisation": taken.organisation,
        "dedupe_key": keys[0],
        "name": data.get("name", ""),
        "state": "taken",
    }
    if not insert_new(connection, snapshots, row):
        first = select(snapshots.c.id).where(
            snapshots.c.organisation == taken.organisation, snapshots.c.dedupe_key == keys[0]
        )
        return connection.execute(first).scalar_one(), True
    reach("journal.between_row_and_event")
    _INSERT_EVENT.run(connection, {**as_row(taken, now), "published_at": None})
    return str(taken.snapshot_id), False


def _known(
    connection: Connection, taken: Event, keys: Sequence[str], repeats_since: datetime
) -> str | None:
    if len(keys) == 1:  # it needs no question: inserting it twice is the answer
        return None
    received_at = datetime.fromisoformat(taken.data["received_at"])
    asked = {
        "organisation": taken.organisation,
        "key": keys[0],
        "earlier": keys[1],
        "later": keys[-1],
        "since": repeats_since,
        # As long after it as before it: the journal may have learned of a later one first.
        "until": received_at + (received_at - repeats_since),
    }
    return _KNOWN.run(connection, asked).scalar()


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
        organisation=columns["organisation"],
    )
