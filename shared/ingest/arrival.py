"""What a door tells the intake of a picture, and by what it is known again when it comes twice."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from ulid import ULID

from shared.events import Door, Event, Trigger
from shared.ingest.captured import Captured
from shared.trace import current

REPEAT_WINDOW = timedelta(minutes=15)
"""A sender that sends the same name and bytes again within this repeats itself."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a door knows of a picture. ``key`` is the sender's idempotency key or the id of the
    request that asked for it; ``name`` is data, never a path, and is kept from its end.

    ``captured_at`` and ``trigger`` are for what the sender said beside the picture, with the time
    as it wrote it in ``captured_text``. Where they are empty, the intake reads the name, and where
    that has no time, the EXIF header, in ``zone`` (None: this machine's, TZ). ``metadata`` fits
    into an event. ``trace`` is that of who makes this, for the thread that stores the picture."""

    camera: str
    door: Door
    name: str = ""
    captured_at: datetime | None = None
    captured_text: str = ""
    trigger: Trigger = ""
    zone: tzinfo | None = None
    key: str = ""
    cause: Event | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    trace: tuple[str, str] = field(default_factory=current)


def dedupe_keys(
    arrival: Arrival, sha256: str, received_at: datetime, captured: Captured | None = None
) -> tuple[str, ...]:
    """The dedupe key of a snapshot, then other keys under which it may be catalogued.

    The first rule that applies: the sender's key; camera, the sender's capture time and hash;
    name and hash within 15 minutes. Never the hash alone: a frozen camera sends equal bytes (so a
    time in their header, which is part of the hash, says nothing more).
    The next window counts as well as the last one: clocks are put back, and a spooled picture is
    recorded late.
    """
    if arrival.key:
        return (_of_sender(arrival),)
    if captured and captured.captured_by in ("name", "sender"):
        time = captured.captured_at.astimezone(UTC).isoformat()
        return (f"cap:{arrival.camera}:{time}:{sha256}",)
    if arrival.name:
        window = math.floor(received_at.timestamp() / REPEAT_WINDOW.total_seconds())
        stem = f"name:{arrival.camera}:{arrival.name}:{sha256}"
        return tuple(f"{stem}:{window + nearby}" for nearby in (0, -1, 1))
    return (f"one:{ULID.from_datetime(received_at)}",)


def keys_before(arrival: Arrival, sha256: str) -> tuple[str, ...]:
    """The dedupe keys under which a picture with a sender's key may have come before, the nearest
    first; none without such a key."""
    key = _of_sender(arrival)
    return (with_hash(key, sha256), key) if arrival.key else ()


def with_hash(key: str, sha256: str) -> str:
    """The dedupe key of a picture that was acknowledged under a key before anybody could know that
    another picture has it."""
    return f"{key}:{sha256}"


def _of_sender(arrival: Arrival) -> str:
    # Hashed, because a sender may make its key as long as it likes.
    digest = hashlib.sha256(arrival.key.encode(errors="surrogatepass")).hexdigest()
    return f"key:{digest}"
