"""Times without a zone are those of the configured one, and hours and days are its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError

from services.api.times import Calendar, Moment
from shared.settings import Settings

BERLIN = Calendar(ZoneInfo("Europe/Berlin"))
READ = TypeAdapter(Moment)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.promise("find Q2")
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21", utc(2026, 11, 20, 23)),
        ("2026-07-01", utc(2026, 6, 30, 22)),
        ("2026-11-21T18:00", utc(2026, 11, 21, 17)),
        ("2026-11-21 18:00:30", utc(2026, 11, 21, 17, 0, 30)),
        ("2026-11-21T18:00Z", utc(2026, 11, 21, 18)),
        ("2026-11-21T18:00:00.5+05:30", utc(2026, 11, 21, 12, 30, 0, 500_000)),
        ("2026-11-21T18:00:00 05:30", utc(2026, 11, 21, 12, 30)),
        ("2026-11-21 18:00-0800", utc(2026, 11, 22, 2)),
        ("2026-10-25T02:30", utc(2026, 10, 25, 0, 30)),  # comes twice: the first
    ],
)
def test_a_time_is_of_the_zone_it_names_or_else_of_the_configured_one(text: str, moment: datetime):
    assert BERLIN.utc(READ.validate_python(text)) == moment


@pytest.mark.promise("find Q2", "find L1")
@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "2026-13-01", "2026-02-30", "2026-11-21T25:00", "1700000000", "20261121",
        "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-11-21T18", "2026-11-21Z",
        "2026-11-21T18:00+99:00", "2026-11-21\n",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_examples(text: str):
    with pytest.raises(ValidationError):
        READ.validate_python(text)


def test_a_day_has_as_many_hours_as_its_zone_gives_it():
    for noon, hours in (((2026, 3, 29, 12), 23), ((2026, 10, 25, 12), 25), ((2026, 7, 1, 12), 24)):
        begin = BERLIN.begin(utc(*noon), "day")
        assert BERLIN.after(begin, "day") - begin == timedelta(hours=hours)
        assert BERLIN.shown(begin).hour == 0


def test_hours_begin_with_the_minute_zero_of_their_zone():
    half = Calendar(ZoneInfo("Asia/Kolkata"))
    begin = half.begin(utc(2026, 1, 1, 12, 45), "hour")
    assert begin == utc(2026, 1, 1, 12, 30)
    assert half.after(begin, "hour") == utc(2026, 1, 1, 13, 30)
    twice = {BERLIN.begin(utc(2026, 10, 25, hour, 10), "hour") for hour in (0, 1)}
    assert len(twice) == 2


def test_the_zone_is_that_of_the_api_or_else_of_the_archive_or_else_the_machines():
    def zone(**tree: object) -> object:
        return Calendar.of(Settings.model_validate(tree)).zone

    archive = {"timezone": "Asia/Tokyo"}
    assert zone(drive=archive) == ZoneInfo("Asia/Tokyo")
    assert zone(drive=archive, api={"timezone": "Europe/Berlin"}) == ZoneInfo("Europe/Berlin")
    assert zone() is None
