"""The moment that a camera's clock showed, from the digits it wrote.

Cameras write the local time of their clock, without a zone, each vendor in its own way. Names of no
known layout are searched for any time: the file's own name before its folders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo

FIRST_YEAR = 2001
"""Clocks that lost their battery say 1970 or 2000."""

FUTURE = timedelta(days=1)
"""A clock may be ahead by a wrong zone, not by more."""

Parts = Mapping[str, str | None]
"""Digits by their code of shared/settings/layouts.py."""

_DATE = r"(?P<Y>20\d\d)(?P<_s>[-_.]?)(?P<m>\d\d)(?P=_s)(?P<d>\d\d)"
_TIME = r"(?P<H>\d\d)(?P<_t>[-_.:]?)(?P<M>\d\d)(?P=_t)(?P<S>\d\d)"

_PATTERNS = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        # 14 digits, or 17: the last three are milliseconds.
        rf"(?<!\d){_DATE}{_TIME}(?P<f>\d{{3}})?(?!\d)",
        # Date and time apart, perhaps with a fraction.
        rf"(?<!\d){_DATE}[-_ T@.]{_TIME}(?:[-.](?P<f>\d{{1,6}}))?(?!\d)",
        # Two digits of the year.
        r"(?<!\d)(?P<y>\d\d)-(?P<m>\d\d)-(?P<d>\d\d)_"
        r"(?P<H>\d\d)-(?P<M>\d\d)-(?P<S>\d\d)(?:-(?P<f>\d{1,6}))?(?!\d)",
    )
)
_IN_FOLDERS = (
    # 2026-10-31/any/jpg/07/08/09[…
    re.compile(
        r"(?P<Y>20\d\d)-(?P<m>\d\d)-(?P<d>\d\d)/(?:[^/]+/){0,2}jpg/"
        r"(?P<H>\d\d)/(?P<M>\d\d)[/.](?P<S>\d\d)\[",
        re.ASCII,
    ),
)
_UNIX = re.compile(r"(?<!\d)(?P<s>1\d{9}(?:\d{3})?)(?!\d)", re.ASCII)


def believable(moment: datetime, arrived_at: datetime) -> bool:
    """Whether a clock that is merely wrong may have shown this."""
    return moment.year >= FIRST_YEAR and moment <= arrived_at + FUTURE


def found_in(path: str) -> Iterator[tuple[Parts, str]]:
    """Whatever looks like a time in a name, as its parts and as it is written."""
    own = path.rpartition("/")[2]
    for text, patterns in (
        (own, _PATTERNS),
        (path, _IN_FOLDERS),
        (path, _PATTERNS),
        (own, (_UNIX,)),
    ):
        for pattern in patterns:
            for found in pattern.finditer(text):
                yield found.groupdict(), found[0]


def moment(parts: Parts, arrived_at: datetime, zone: tzinfo | None) -> datetime | None:
    """The moment in UTC that these digits of a clock in ``zone`` (None: this machine's, TZ) mean;
    None: there is no such time."""
    if seconds := parts.get("s"):
        return datetime.fromtimestamp(int(seconds[:10]), UTC) + timedelta(
            milliseconds=int(seconds[10:] or 0)
        )
    year = int(parts.get("Y") or 2000 + int(parts.get("y") or 0))
    numbers = [int(parts.get(key) or 0) for key in "mdHMS"]
    fraction = int((parts.get("f") or "0").ljust(6, "0"))
    try:
        local = datetime(year, *numbers, fraction)  # type: ignore[call-arg, arg-type]  # noqa: DTZ001
        return _in_utc(local, arrived_at, zone)
    except (ValueError, OverflowError):
        return None  # digits that are no time


def _in_utc(local: datetime, arrived_at: datetime, zone: tzinfo | None) -> datetime:
    """The moment a clock of ``zone`` showed ``local``. When clocks go back an hour comes twice:
    then it is the one nearer to the arrival."""
    first, second = (
        (local.replace(tzinfo=zone, fold=fold) if zone else local.replace(fold=fold).astimezone())
        for fold in (0, 1)
    )
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    return min(
        (each.astimezone(UTC) for each in (first, second)), key=lambda at: abs(at - arrived_at)
    )
