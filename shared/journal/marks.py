"""What a service did with an event, as a row of ``work``; and what waits for a peer that is away.

Of all that waits for one peer, one event is the probe: it is tried every few seconds. The others
are parked, and due as soon as the probe ended in any other way than finding the peer away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, literal, select, update

from shared.errors import ForeignEvent
from shared.events import Event
from shared.journal.mapping import may_be_foreign
from shared.journal.schema import WAITING, events, work
from shared.journal.statements import upsert
from shared.text import storable

ERROR_CHARACTERS = 2000
PEER_CHARACTERS = 128
PARKED = timedelta(hours=1)
"""Parked work is due after this even if nobody wakes it: its probe may have died."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A service's attempt at an event. ``attempts`` counts this one too; ``unended`` says that the
    last one began and neither finished nor failed: its process ended. ``waited_for`` is the peer
    that was away at the last one."""

    done: bool
    attempts: int
    unended: bool = False
    waited_for: str = ""


def next_attempt(connection: Connection, service: str, event: Event) -> Attempt:
    """The attempt that would begin now. Raises ForeignEvent when none of our services committed
    the event, or committed another one by this id."""
    mine = and_(work.c.service == service, work.c.event_id == events.c.id)
    said = events.c.topic, events.c.subject, events.c.snapshot_id, events.c.organisation
    query = (
        select(work.c.status, work.c.attempts, work.c.waiting_for, events.c.data, *said)
        .select_from(events.outerjoin(work, mine))
        .where(events.c.id == event.id)
    )
    row = connection.execute(query).first()
    if row is None:
        may_be_foreign(event)
        return Attempt(done=False, attempts=1)
    ours = (event.topic, event.subject, event.snapshot_id, event.organisation, dict(event.data))
    if ours != (row.topic, row.subject, row.snapshot_id, row.organisation, row.data):
        raise ForeignEvent("the journal has another event by this id")
    attempts = int(row.attempts or 0)
    if row.status in ("done", "dead"):
        return Attempt(done=True, attempts=attempts)
    return Attempt(False, attempts + 1, row.status == "tried", str(row.waiting_for or ""))


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
        "waiting_for": waiting_for[:PEER_CHARACTERS] or None,
        "error": storable(error, ERROR_CHARACTERS) if error else None,
        "updated_at": now,
    }
    upsert(connection, work, [row], where=None if status == "done" else _not_ended)


def due_when_waiting(
    connection: Connection, service: str, event: Event, peer: str, now: datetime, after_s: float
) -> datetime:
    """When work that waits for a peer is due: after ``after_s`` if it becomes the probe."""
    soon = now + timedelta(seconds=after_s)
    others = _waiting(service, peer) & (work.c.event_id != event.id)
    probe = exists().where(others, work.c.status == "retry", work.c.next_attempt_at <= soon)
    return now + PARKED if connection.execute(select(probe)).scalar() else soon


def wake(connection: Connection, service: str, peer: str, now: datetime) -> None:
    """The peer answers again: what waits for it is due now."""
    parked = _waiting(service, peer) & (work.c.status == "retry")
    changes = update(work).where(parked, work.c.next_attempt_at > now)
    connection.execute(changes.values(next_attempt_at=now))


def _not_ended(_new: Any) -> ColumnElement[bool]:
    return work.c.status.not_in([literal("done"), literal("dead")])


def _waiting(service: str, peer: str) -> ColumnElement[bool]:
    return WAITING & (work.c.service == service) & (work.c.waiting_for == peer[:PEER_CHARACTERS])
