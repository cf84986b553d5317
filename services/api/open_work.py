"""Unfinished and dead work in the bodies of the API's answers."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from shared.journal.queries.events import OpenWork
from shared.journal.queries.recovery import WorkItem


class OpenWorkView(BaseModel):
    """What a service is not done with: it was tried, will be tried again, or is dead."""

    service: str
    event_id: str
    topic: str
    snapshot_id: str | None = None
    camera: str = ""
    status: str
    attempts: int
    next_attempt_at: datetime | None
    error: str
    updated_at: datetime


def open_work_view(row: OpenWork) -> OpenWorkView:
    """Work on a snapshot as the API shows it."""
    return OpenWorkView(
        service=row.service,
        event_id=row.event_id,
        topic=row.topic,
        status=row.status,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        error=row.error or "",
        updated_at=row.updated_at,
    )


def work_item_view(item: WorkItem) -> OpenWorkView:
    """Work of any kind as the API shows it."""
    return OpenWorkView(
        service=item.service,
        event_id=item.event.id,
        topic=item.event.topic,
        snapshot_id=item.event.snapshot_id,
        camera=item.event.subject,
        status=item.status,
        attempts=item.attempts,
        next_attempt_at=item.next_attempt_at,
        error=item.error,
        updated_at=item.updated_at,
    )
