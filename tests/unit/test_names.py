"""What the name of a file tells, as each vendor writes it: time, reason, camera."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from shared.events import TRIGGERS
from shared.ingest.captured import by_name
from shared.ingest.layouts import LAYOUTS, WORDS
from shared.ingest.names import NameReader
from shared.settings.layouts import LayoutSection, expression

ARRIVED = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
WHEN = datetime(2026, 10, 31, 7, 8, 9, tzinfo=UTC)
READER = NameReader()


def captured_at(name: str, arrived_at: datetime, zone: tzinfo) -> datetime | None:
    """The time in a name, where it is believed."""
    found = by_name(READER.read(name, arrived_at, zone), arrived_at)
    return found.captured_at if found.captured_by == "name" else None


NAMES = {
    "Foscam alarm": ("FI9821W_C4D6553CA13C/snap/MDAlarm_20261031-070809.jpg", "motion"),
    "Foscam person": ("snap/HMDAlarm_20261031-070809.jpg", "person"),
    "Foscam schedule": ("snap/Schedule_20261031-070809.jpg", "timer"),
    "Foscam MJPEG": ("00626E4A0F3B(Porch)_1_20261031070809_17.jpg", ""),
    "Reolink": ("Porch_00_20261031070809.jpg", ""),
    "Reolink, a misleading name": ("Motion_00_20261031070809.jpg", ""),
    "Reolink with folders": ("2026/10/31/Front Door_01_20261031070809.jpg", ""),
    "Reolink hub": ("Front Door_00_Home Hub_20261031070809.jpg", ""),
    "Reolink of one channel": ("Front Door_20261031070809.jpg", ""),
    "Hikvision": ("192.168.1.64_01_20261031070809000_MOTION_DETECTION.jpg", "motion"),
    "Hikvision line": ("_20261031070809000_LINE_CROSSING_DETECTION.jpg", "line_crossing"),
    "Hikvision field": ("porch_DS2CD_20261031070809000_FIELD_DETECTION.jpg", "intrusion"),
    "Hikvision face": ("10.0.0.7_02_20261031070809000_FACE_DETECTION.jpg", "face"),
    "Hikvision without prefix": ("_20261031070809000_TIMING.jpg", "timer"),
    "Hikvision IPv6": ("--fe80-1234_01_20261031070809000_ALARM.jpg", "alarm"),
    "Hikvision intercom": ("20261031070809000_MOTION_DETECTION_192.168.1.5.jpg", "motion"),
    "number plate": ("Forward_20261031070809000_AB123CD_PLATE.jpg", "vehicle"),
    "Dahua": ("porch/4K0123PAZ4AAAAA/2026-10-31/001/jpg/07/08/09[M][0@0][0].jpg", "motion"),
    "Dahua, other firmware": ("AMC0123/2026-10-31/001/jpg/07/08.09[R][0@0][0].jpg", "timer"),
    "Dahua, of a burst": ("AMC0123/2026-10-31/001/jpg/07/08/09[A][0@0][3].jpg", "alarm"),
    "Dahua, something else": ("AMC0123/2026-10-31/001/jpg/07/08/09[F][0@0][0].jpg", ""),
    "Axis": ("image26-10-31_07-08-09-00.jpg", ""),
    "Axis, named by its user": ("20261031/motion26-10-31_07-08-09-00.jpg", "motion"),
    "Vivotek": ("0002D1A1B2C3_20261031_070809_1.jpg", ""),
    "Vivotek, older": ("motion_20261031070809_3_pre.jpg", "motion"),
    "GeoVision": ("0013E2AA/Motion/2026-10-31/07/Motion_2026-10-31-07-08-09-000_001.jpg", "motion"),
    "ACTi": ("snap2026-10-31@070809.jpg", ""),
    "Yi with free firmware": ("2026Y10M31D07H/08M09S60.jpg", ""),
    "snapshot-processor": (f"human_porch_{int(WHEN.timestamp())}.jpg", "person"),
    "snapshot-processor fetched": (f"fetch_porch_{int(WHEN.timestamp())}.jpg", ""),
    "snapshot uploader": ("snapshot_20261031_070809.jpg", ""),
    "deepstack samples": ("Cat_20261031-070809.jpg", "animal"),
    "readable": ("Porch 2026-10-31 07-08-09.jpg", ""),
    "readable with a word": ("porch LineCrossing 2026-10-31 07-08-09.jpg", "line_crossing"),
    "Windows folders": ("snap\\MDAlarm_20261031-070809.jpg", "motion"),
    "before its rename": ("snap/MDAlarm_20261031-070809.jpg.tmp", "motion"),
    "before its rename, otherwise": ("snap/MDAlarm_20261031-070809.jpg_", "motion"),
    "epoch in milliseconds": (f"{int(WHEN.timestamp())}000.jpg", ""),
}  # fmt: skip


@pytest.mark.promise("feat B18")
@pytest.mark.parametrize(("name", "trigger"), NAMES.values(), ids=NAMES)
def test_time_and_reason_in_a_vendors_name_are_found(name, trigger):
    found = READER.read(name, ARRIVED, UTC)
    assert (found.at, found.trigger) == (WHEN, trigger)
    assert found.text and found.text in name.replace("\\", "/")


CAMERAS = {
    "00626E4A0F3B(Porch)_1_20261031070809_17.jpg": "Porch",
    "Front Door_00_20261031070809.jpg": "Front Door",
    "Front_Door_00_20261031070809.jpg": "Front_Door",
    "Front Door_00_Home Hub_20261031070809.jpg": "Front Door",
    "20261031070809000_MOTION_DETECTION_192.168.1.5.jpg": "192.168.1.5",
    "fetch_front-door-camera_1793430489.jpg": "front-door-camera",
    "Porch 2026-10-31 07-08-09.jpg": "",
}


@pytest.mark.promise("feat B17")
@pytest.mark.parametrize(("name", "camera"), CAMERAS.items(), ids=CAMERAS)
def test_a_name_says_what_the_camera_is_called(name, camera):
    assert READER.camera(name) == READER.read(name, ARRIVED).camera == camera


@pytest.mark.parametrize("name", ["motion.jpg", "porch/MotionDetection.jpg", "0_motion_detection"])
def test_a_name_without_a_time_may_have_a_reason(name):
    found = READER.read(name, ARRIVED)
    assert (found.at, found.trigger) == (None, "motion")


@pytest.mark.parametrize(
    "name", ["emotion.jpg", "motion/0001.jpg", "testimonial.jpg", "promotions"]
)
def test_a_reason_is_a_whole_word_of_the_files_own_name(name):
    assert READER.read(name, ARRIVED).trigger == ""


def test_every_row_of_the_table_means_something_that_is_known():
    assert set(WORDS.values()) <= TRIGGERS - {""}
    for layout in LAYOUTS:
        assert expression(layout.pattern)
        assert set(layout.triggers.values()) <= TRIGGERS


OWN = [
    LayoutSection(pattern="{camera}/%Y.%m.%d/{trigger}-%Hh%M", triggers={"Zone 1": "intrusion"}),
    LayoutSection(pattern="bell_{camera}_{n}.jpg", trigger="doorbell"),
]


@pytest.mark.promise("feat B18")
def test_layouts_of_the_configuration_come_before_those_of_the_table():
    reader = NameReader(OWN)
    found = reader.read("disk/gate/2026.10.31/ZONE_1-07h08.jpg", ARRIVED, UTC)
    assert (found.at, found.trigger, found.camera) == (
        WHEN.replace(second=0), "intrusion", "gate",
    )  # fmt: skip
    assert found.layout == "layouts.0"
    assert found.text == "2026.10.31/ZONE_1-07h08"
    rung = reader.read("bell_porch_000017.jpg", ARRIVED)
    assert (rung.at, rung.trigger, rung.camera) == (None, "doorbell", "porch")
    assert reader.read("MDAlarm_20261031-070809.jpg", ARRIVED, UTC).trigger == "motion"


WRONG = {
    "": "1 to 200 characters",
    "x" * 201: "1 to 200 characters",
    "{camera}_%Q": "%Q is no code of a time here; there are %Y",
    "{kamera}_%s": "{kamera} is not known; there are {camera}",
    "{camera_%s": "stands alone",
    "100%_{camera}": "%_ is no code",
    "%s_{any}_{any}_{camera}_{trigger}": "at most 3",
    "{camera}{trigger}_%s": "side by side",
    "/{camera}": "folders are written as",
    "a/" * 9 + "{camera}": "at most 8",
    "image_{n}": "it tells nothing",
    "{camera}_%Y-%m-%d": "a time needs",
}


@pytest.mark.parametrize(("pattern", "why"), WRONG.items(), ids=[each[:20] for each in WRONG])
def test_a_pattern_that_can_not_be_is_told_with_its_reason(pattern, why):
    with pytest.raises(ValidationError) as told:
        LayoutSection(pattern=pattern)
    assert why in str(told.value)


def test_characters_of_regular_expressions_mean_themselves():
    reader = NameReader([LayoutSection(pattern="(a+)+$ {camera} 100%% [%s]")])
    assert reader.camera("(a+)+$ gate 100% [1793430489].jpg") == "gate"
    assert reader.camera("aaaa$ gate 100% [1793430489].jpg") == ""


def test_a_name_made_to_be_slow_is_read_all_the_same():
    """Each text of a pattern is short and there are three at most, so the work has an end: with
    texts of any length this takes for ever."""
    worst = LayoutSection(pattern="{any}_{camera}_{trigger}_%Y%m%d%H%M%S_end")
    reader = NameReader([worst] * 20)
    for name in ("_" * 255, "a_" * 127, "1_" * 127, "_20261031070809" * 17, "[" * 255, "-" * 255):
        assert reader.read(name, ARRIVED, UTC).camera == ""


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
