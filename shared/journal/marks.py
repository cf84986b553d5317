"""What a service did with an event, as a row of ``work``; and what waits for a place that is away.

Of all that waits for one place, one event is the probe: it is tried every few seconds. The others
are parked, and due as soon as the probe ended in any other way than finding the place away.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, literal, select, update

from shared.events import Event
from shared.journal.schema import WAITING, work
from shared.journal.statements import upsert
from shared.text import storable

ERROR_CHARACTERS = 2000
PLACE_CHARACTERS = 128
PARKED = timedelta(hours=1)
"""Parked work is due after this even if nobody wakes it: its probe may have died."""


def mark(
    connection: Connection,
    service: str,
    event: Event,
    status: str,
    attempts: int,
    now: datetime,
    *,
    due: datetime | None = None,
    error: str | None = None,
    waiting_for: str = "",
) -> None:
    """Write what became of the event. What is done stays done, and what is dead until somebody
    replays it, although the same event may be in the hands of another process just now."""
    row = {
        "service": service,
        "event_id": event.id,
        "organisation": event.organisation,
        "status": status,
        "attempts": attempts,
        "next_attempt_at": due,
        "waiting_for": waiting_for[:PLACE_CHARACTERS] or None,
        "error": storable(error, ERROR_CHARACTERS) if error else None,
        "updated_at": now,
    }
    upsert(connection, work, [row], where=None if status == "done" else _not_ended)


def due_when_waiting(
    connection: Connection, service: str, event: Event, place: str, now: datetime, after_s: float
) -> datetime:
    """When work that waits for a place is due: after ``after_s`` if it becomes the probe."""
    soon = now + timedelta(seconds=after_s)
    others = _waiting(service, place) & (work.c.event_id != event.id)
    probe = exists().where(others, work.c.status == "retry", work.c.next_attempt_at <= soon)
    return now + PARKED if connection.execute(select(probe)).scalar() else soon


def wake(connection: Connection, service: str, place: str, now: datetime) -> None:
    """The place answers again: what waits for it is due now."""
    parked = _waiting(service, place) & (work.c.status == "retry")
    changes = update(work).where(parked, work.c.next_attempt_at > now)
    connection.execute(changes.values(next_attempt_at=now))


def _not_ended(_new: Any) -> ColumnElement[bool]:
    return work.c.status.not_in([literal("done"), literal("dead")])


def _waiting(service: str, place: str) -> ColumnElement[bool]:
    return WAITING & (work.c.service == service) & (work.c.waiting_for == place[:PLACE_CHARACTERS])
