"""What last happened to each camera: failures, tests."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from shared.journal.queries.snapshots import Reader

LATEST = 300
"""How many of the newest failures and tests are searched for the last one of each camera."""


class Happening(BaseModel):
    """When something last happened to a camera, and why."""

    time: datetime
    reason: str = ""


def latest(read: Reader, topic: str) -> dict[str, Happening]:
    """The newest event of this topic of each camera."""
    found: dict[str, Happening] = {}
    for each in read.latest_events(LATEST, topic=topic):
        reason = str(each.event.data.get("reason", ""))
        found.setdefault(each.event.subject, Happening(time=each.event.time, reason=reason))
    return found
