"""When and why a picture was taken, of all who say something about it: its sender, its name, its
header; else it is as old as its arrival.

A clock that can't be right is not believed; what it said is kept all the same, and a large
difference to the arrival is told (``skew_s``), so that a wrong zone or a dead battery is seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Literal

from shared.events import Trigger
from shared.ingest.capture_time import believable, moment
from shared.ingest.names import Named

SKEW = timedelta(minutes=5)
"""What senders need at most between taking and delivering, and what clocks differ unnoticed."""

By = Literal["name", "exif", "sender", "arrival"]

_EXIF = re.compile(
    r"(?P<Y>\d{4}):(?P<m>\d\d):(?P<d>\d\d) (?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d)"
    r"(?:\.(?P<f>\d{1,6})\d*)?(?P<offset>[+-]\d\d:\d\d)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Captured:
    """What is recorded of a picture's time and reason; the fields are those of
    ``snapshot.taken``."""

    captured_at: datetime
    captured_by: By = "arrival"
    captured_text: str = ""
    skew_s: float | None = None
    trigger: Trigger = ""


def decide(
    at: datetime | None, by: By, text: str, arrived_at: datetime, trigger: Trigger = ""
) -> Captured:
    """What is recorded of a picture that somebody says was taken then (None: nobody)."""
    if at is None:
        return Captured(arrived_at, trigger=trigger)
    ahead = at - arrived_at
    skew_s = round(ahead.total_seconds(), 1) if abs(ahead) >= SKEW else None
    if believable(at, arrived_at):
        return Captured(at, by, text, skew_s, trigger)
    return Captured(arrived_at, "arrival", text, skew_s, trigger)


def by_name(named: Named, arrived_at: datetime) -> Captured:
    """The same of what a name says."""
    return decide(named.at, "name", named.text, arrived_at, named.trigger)


def by_exif(
    text: str, arrived_at: datetime, zone: tzinfo | None, trigger: Trigger = ""
) -> Captured:
    """The same of the time in a header (shared/picture/exif.py). ``zone`` counts where the header
    says none."""
    found = _EXIF.fullmatch(text)
    at = None
    if found:
        at = moment(found.groupdict(), arrived_at, _offset(found["offset"]) or zone)
    return decide(at, "exif", text, arrived_at, trigger)


def _offset(text: str | None) -> tzinfo | None:
    if not text:
        return None
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 15 or minutes > 59:
        return None
    away = timedelta(hours=hours, minutes=minutes)
    return timezone(-away if text[0] == "-" else away)
