"""Times as people and programs write them, and the hours and days of the configured zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Literal

from pydantic import BeforeValidator, WithJsonSchema

from shared.settings import Settings
from shared.settings.section import zone_of

Step = Literal["hour", "day"]
_DATE = r"(19|2[01])\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_TIME = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?"
_PATTERN = rf"^{_DATE}([T ]{_TIME}([Zz]|[+ -]([01]\d|2[0-3]):?[0-5]\d)?)?$"
_EXAMPLES = ["2026-11-21", "2026-11-21T18:00", "2026-11-21T17:00:00Z"]


def _read(text: object) -> datetime:
    if not isinstance(text, str) or not re.match(_PATTERN, text):
        raise ValueError(
            f"write a date, or a date and time, such as {', '.join(_EXAMPLES)}; "
            "the year from 1900 to 2199"
        )
    # A plus sign that is not written as %2B in an address arrives as a space.
    return datetime.fromisoformat(text[:11] + text[11:].replace(" ", "+"))


Moment = Annotated[
    datetime,
    BeforeValidator(_read),
    WithJsonSchema({"type": "string", "pattern": _PATTERN, "examples": _EXAMPLES}),
]
"""A date, which is its first moment, or a date and time; of the server's zone when it names none:
pass it through ``Calendar.utc``."""


class Calendar:
    """Hours and days of one zone; None: that of this machine."""

    def __init__(self, zone: tzinfo | None) -> None:
        self.zone = zone

    @classmethod
    def of(cls, settings: Settings) -> Calendar:
        """That of the API, or else of the archive."""
        return cls(zone_of(settings.api.timezone or settings.drive.timezone))

    def utc(self, moment: datetime | None) -> datetime | None:
        """The same moment in UTC; without a zone it is of this one."""
        return self._utc(moment) if moment else None

    def begin(self, moment: datetime, step: Step) -> datetime:
        """The begin of the hour or day that a moment is in."""
        local = moment.astimezone(self.zone).replace(minute=0, second=0, microsecond=0)
        if step == "hour":  # keeps its offset: where the clock is put back, one hour comes twice
            return local.astimezone(UTC)
        return self._utc(local.replace(hour=0, fold=0, tzinfo=None))

    def after(self, begin: datetime, step: Step) -> datetime:
        """The begin of the hour or day after this one."""
        if step == "hour":
            return begin + timedelta(hours=1)
        local = begin.astimezone(self.zone).replace(tzinfo=None)
        return self._utc(local + timedelta(days=1))

    def shown(self, moment: datetime) -> datetime:
        """The moment with the offset of this zone."""
        return moment.astimezone(self.zone)

    def _utc(self, moment: datetime) -> datetime:
        if moment.tzinfo is None and self.zone:
            moment = moment.replace(tzinfo=self.zone)
        return moment.astimezone(UTC)
