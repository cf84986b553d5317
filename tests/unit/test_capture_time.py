"""The time in a file's name, as each vendor writes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.ingest.capture_time import captured_at

ARRIVED = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
WHEN = datetime(2026, 10, 31, 7, 8, 9, tzinfo=UTC)

NAMES = {
    "Foscam alarm": "FI9821W_C4D6553CA13C/snap/MDAlarm_20261031-070809.jpg",
    "Foscam alarm, other firmware": "snap/HMDAlarm_20261031-070809.jpg",
    "Foscam schedule": "snap/Schedule_20261031-070809.jpg",
    "Foscam MJPEG": "00626E4A0F3B(Porch)_1_20261031070809_17.jpg",
    "Reolink": "Porch_00_20261031070809.jpg",
    "Reolink with folders": "2026/10/31/Front Door_01_20261031070809.jpg",
    "Reolink hub": "Front Door_00_Home Hub_20261031070809.jpg",
    "Hikvision": "192.168.1.64_01_20261031070809000_MOTION_DETECTION.jpg",
    "Hikvision without prefix": "_20261031070809000_TIMING.jpg",
    "Hikvision IPv6": "--fe80-1234_01_20261031070809000_ALARM.jpg",
    "number plate": "Forward_20261031070809000_AB123CD_PLATE.jpg",
    "Dahua": "porch/4K0123PAZ4AAAAA/2026-10-31/001/jpg/07/08/09[M][0@0][0].jpg",
    "Dahua, other firmware": "AMC0123/2026-10-31/001/jpg/07/08.09[R][0@0][0].jpg",
    "Axis": "image26-10-31_07-08-09-00.jpg",
    "Vivotek": "0002D1A1B2C3_20261031_070809_1.jpg",
    "Vivotek, older": "event_20261031070809_3_pre.jpg",
    "GeoVision": "0013E2AABBCC/Motion/2026-10-31/07/Motion_2026-10-31-07-08-09-000_001.jpg",
    "ACTi": "snap2026-10-31@070809.jpg",
    "Yi with free firmware": "2026Y10M31D07H/08M09S60.jpg",
    "snapshot uploader": "snapshot_20261031_070809.jpg",
    "readable": "Porch 2026-10-31 07-08-09.jpg",
    "Windows folders": "snap\\MDAlarm_20261031-070809.jpg",
    "epoch": f"fetch_porch_{int(WHEN.timestamp())}.jpg",
    "epoch in milliseconds": f"{int(WHEN.timestamp())}000.jpg",
}


@pytest.mark.promise("feat B18")
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_the_time_in_a_vendors_name_is_found(name):
    assert captured_at(name, ARRIVED, ZoneInfo("UTC")) == WHEN


@pytest.mark.promise("feat B18")
def test_fractions_of_a_second_are_kept():
    hikvision = "10.0.0.1_01_20261031070809456_MOTION_DETECTION.jpg"
    assert captured_at(hikvision, ARRIVED, UTC) == WHEN + timedelta(milliseconds=456)
    assert captured_at("image26-10-31_07-08-09-45.jpg", ARRIVED, UTC) == WHEN + timedelta(
        milliseconds=450
    )


@pytest.mark.promise("feat B18", "fault F12")
@pytest.mark.parametrize(
    "name",
    [
        "image.jpg",
        "0001.jpg",
        "ftpd.i2yl9m2s",
        "DSC_20261331_250000.jpg",  # no such month and hour
        "snapshot_20990101_000000.jpg",  # the future
        "MDAlarm_20000101-000012.jpg",  # a clock without battery
        "MDAlarm_19700101-000012.jpg",
        "serial_12345678901234567890.jpg",
        "",
        "\ufffd" * 50,
    ],
)
def test_a_name_without_a_plausible_time_has_none(name):
    assert captured_at(name, ARRIVED, UTC) is None


@pytest.mark.promise("fault F12")
def test_names_are_in_the_cameras_own_zone():
    assert captured_at("MDAlarm_20260701-120000.jpg", ARRIVED, BERLIN) == datetime(
        2026, 7, 1, 10, tzinfo=UTC
    )
    assert captured_at("MDAlarm_20260101-120000.jpg", ARRIVED, BERLIN) == datetime(
        2026, 1, 1, 11, tzinfo=UTC
    )


@pytest.mark.promise("fault F12")
def test_in_the_hour_that_comes_twice_the_moment_nearer_to_the_arrival_counts():
    name = "MDAlarm_20261025-023000.jpg"  # 02:30 CEST = 00:30 UTC, and 02:30 CET = 01:30 UTC
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert captured_at(name, first + timedelta(seconds=2), BERLIN) == first
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert captured_at(name, second + timedelta(seconds=2), BERLIN) == second


@pytest.mark.promise("fault F12")
def test_a_clock_that_is_a_little_ahead_is_believed():
    assert captured_at("MDAlarm_20261101-140000.jpg", ARRIVED, UTC) == datetime(
        2026, 11, 1, 14, tzinfo=UTC
    )
