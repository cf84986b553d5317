"""When a picture was taken, read from the name its camera gave it.

Cameras write their own clock's local time without a zone into names, each vendor in its own way;
docs/ref names them. The first plausible time counts, the file's own name before its folders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

FIRST_YEAR = 2001
"""Clocks that lost their battery say 1970 or 2000."""

FUTURE = timedelta(days=1)
"""A clock may be ahead by a wrong zone, not by more."""

_DATE = r"(?P<Y>20\d\d)(?P<s>[-_.]?)(?P<m>\d\d)(?P=s)(?P<d>\d\d)"
_TIME = r"(?P<H>\d\d)(?P<t>[-_.:]?)(?P<M>\d\d)(?P=t)(?P<S>\d\d)"

_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        # Hikvision, Annke, HiLook: 17 digits, the last three are milliseconds.
        rf"(?<!\d){_DATE}{_TIME}(?P<f>\d{{3}})(?!\d)",
        # Reolink, Vivotek, Foscam MJPEG, plates, ONVIF recorders: 14 digits.
        rf"(?<!\d){_DATE}{_TIME}(?!\d)",
        # Foscam, snapshot_YYYYMMDD_HHMMSS, ACTi, GeoVision (milliseconds behind a hyphen).
        rf"(?<!\d){_DATE}[-_ T@.]{_TIME}(?:[-.](?P<f>\d{{1,6}}))?(?!\d)",
        # Axis: two digits of the year, hundredths behind a hyphen.
        r"(?<!\d)(?P<y>\d\d)-(?P<m>\d\d)-(?P<d>\d\d)_"
        r"(?P<H>\d\d)-(?P<M>\d\d)-(?P<S>\d\d)(?:-(?P<f>\d{1,6}))?(?!\d)",
    )
)
_PATH_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        # Dahua, Amcrest, Lorex: YYYY-MM-DD/001/jpg/HH/MM/SS[M][0@0][0].jpg, or HH/MM.SS[…
        r"(?P<Y>20\d\d)-(?P<m>\d\d)-(?P<d>\d\d)/(?:[^/]+/){0,2}jpg/"
        r"(?P<H>\d\d)/(?P<M>\d\d)[/.](?P<S>\d\d)\[",
        # Yi and Xiaomi with free firmware: 2020Y09M24D23H/38M00S60.jpg
        r"(?P<Y>20\d\d)Y(?P<m>\d\d)M(?P<d>\d\d)D(?P<H>\d\d)H/(?P<M>\d\d)M(?P<S>\d\d)S",
    )
)
_UNIX = re.compile(r"(?<!\d)(1\d{9})(\d{3})?(?!\d)")


def captured_at(name: str, arrived_at: datetime, zone: tzinfo | None = None) -> datetime | None:
    """The time in ``name``, in UTC; None where there is none, or none that can be.

    ``zone`` is that of the camera's clock; None: this machine's (TZ).
    """
    for time in _times(name, arrived_at, zone):
        if time.year >= FIRST_YEAR and time <= arrived_at + FUTURE:
            return time
    return None


def _times(name: str, arrived_at: datetime, zone: tzinfo | None) -> Iterator[datetime]:
    path = name.replace("\\", "/")
    own = path.rpartition("/")[2]
    for text, patterns in ((own, _PATTERNS), (path, _PATH_PATTERNS), (path, _PATTERNS)):
        for pattern in patterns:
            for found in pattern.finditer(text):
                local = _local(found.groupdict())
                if local:
                    yield _in_utc(local, arrived_at, zone)
    for found in _UNIX.finditer(own):
        milliseconds = int(found[2] or 0)
        yield datetime.fromtimestamp(int(found[1]), UTC) + timedelta(milliseconds=milliseconds)


def _local(parts: dict[str, str | None]) -> datetime | None:
    year = int(parts.get("Y") or 2000 + int(parts.get("y") or 0))
    fraction = (parts.get("f") or "0").ljust(6, "0")
    numbers = [int(parts[key] or 0) for key in "mdHMS"]
    try:
        return datetime(year, *numbers, int(fraction))  # type: ignore[call-arg, arg-type]  # noqa: DTZ001
    except ValueError:
        return None  # digits that are no time


def _in_utc(local: datetime, arrived_at: datetime, zone: tzinfo | None) -> datetime:
    """The moment a clock of ``zone`` showed ``local``. When clocks go back an hour comes twice:
    then it is the one nearer to the arrival."""
    moments = [
        (local.replace(tzinfo=zone, fold=fold) if zone else local.replace(fold=fold).astimezone())
        for fold in (0, 1)
    ]
    return min((moment.astimezone(UTC) for moment in moments), key=lambda at: abs(at - arrived_at))
