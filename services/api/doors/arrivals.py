"""What a sender says of a picture: its name, when it was taken, and under which key it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from services.api.doors.http_door import NAME
from services.api.problems import Problem
from shared.events import Trigger
from shared.ingest.arrival import Arrival
from shared.settings.cameras import CameraSection
from shared.settings.section import zone_of

KEY_CHARACTERS = 128


def arrival(
    camera: str,
    section: CameraSection,
    *,
    name: str = "",
    taken: str = "",
    trigger: Trigger = "",
    key: str = "",
    metadata: Mapping[str, Any] | None = None,
) -> Arrival:
    """What is known of a picture. ``taken`` is the time its sender says. Raises Problem."""
    zone = zone_of(section.http.timezone if section.http else "")
    return Arrival(
        camera=camera,
        door=NAME,
        name=name,
        captured_at=_time(taken, zone) if taken else None,
        captured_text=taken,
        trigger=trigger,
        zone=zone,
        key=f"{NAME}:{camera}:{key}" if key else "",
        metadata=metadata or {},
    )


def _time(text: str, zone: tzinfo | None) -> datetime:
    # A plus sign that is not written as %2B in an address arrives as a space.
    written = text[:11] + text[11:].strip().replace(" ", "+")
    try:
        time = datetime.fromisoformat(written)
        local = time if time.tzinfo else time.replace(tzinfo=zone)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Problem(
            422,
            "no-time",
            "captured_at: write a date and time, such as 2026-11-21T17:00:00Z; without a zone it "
            "is of the camera's.",
        ) from None
