"""When and why a picture was taken, where its sender, its name and its header may all say so."""

from __future__ import annotations

import io
import struct
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from shared.events import Event, SnapshotRequested, SnapshotTaken
from shared.ingest import intake as module
from shared.picture.exif import time_in
from tests.support.making import Clock, Core, picture

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TOKYO = ZoneInfo("Asia/Tokyo")
ORIGINAL, CHANGED, OFFSET, FRACTION = 0x9003, 0x0132, 0x9011, 0x9291


def photo(kind: str = "JPEG", **tags: str) -> bytes:
    """A picture whose header has these; ``changed`` is that of the whole file."""
    exif = Image.Exif()
    exif[0x010F] = "Maker"  # Pillow leaves out a block that has nothing but others in it
    inner = exif.get_ifd(0x8769)
    for name, value in tags.items():
        tag = {"taken": ORIGINAL, "offset": OFFSET, "fraction": FRACTION}.get(name)
        if tag:
            inner[tag] = value
        else:
            exif[CHANGED] = value
    written = io.BytesIO()
    Image.new("RGB", (32, 16)).save(written, kind, exif=exif)
    return written.getvalue()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(NOW)
    monkeypatch.setattr(module, "now", clock)
    return clock


def taken(here: Core, data: bytes, **arrival: Any) -> SnapshotTaken:
    """What is recorded of a picture; its row says the same."""
    accepted = here.arrive(data, **arrival)
    event: Event = here.journal.read.story(accepted.snapshot_id)[0].event
    row = here.journal.read.snapshot(accepted.snapshot_id)
    recorded = event.parsed(SnapshotTaken)
    assert row is not None
    for name in ("captured_at", "captured_by", "skew_s", "trigger"):
        assert getattr(row, name) == getattr(recorded, name)
    return recorded


@pytest.mark.promise("feat B18")
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    ("tags", "text", "at"),
    [
        ({}, "2026:03:01 20:59:58", NOW - timedelta(seconds=2)),
        ({"fraction": "25"}, "2026:03:01 20:59:58.25", NOW - timedelta(seconds=1.75)),
        ({"offset": "+08:30"}, "2026:03:01 20:59:58+08:30", NOW + timedelta(seconds=1798)),
        ({"offset": "-99:00"}, "2026:03:01 20:59:58-99:00", NOW - timedelta(seconds=2)),
        ({"changed": "2020:01:01 00:00:00"}, "2026:03:01 20:59:58", NOW - timedelta(seconds=2)),
    ],
    ids=["plain", "fraction", "offset", "impossible offset", "changed later"],
)
def test_a_name_without_a_time_leaves_it_to_the_header(
    here: Core, kind: str, tags: dict[str, str], text: str, at: datetime
):
    data = photo(kind, taken="2026:03:01 20:59:58", **tags)
    found = taken(here, data, name="motion.jpg", zone=TOKYO)
    assert (found.captured_by, found.captured_text, found.captured_at) == ("exif", text, at)
    assert found.trigger == "motion", "the name's reason stays"


@pytest.mark.promise("feat B18")
def test_the_name_comes_before_the_header_and_the_sender_before_both(here: Core):
    data = photo(taken="2026:03:01 11:00:00")
    named = taken(here, data, name="Schedule_20260301-113000.jpg", zone=UTC)
    assert (named.captured_by, named.trigger) == ("name", "timer")
    assert named.captured_at == NOW - timedelta(minutes=30)
    said = taken(
        here,
        data,
        name="Schedule_20260301-113000.jpg",
        captured_at=NOW - timedelta(minutes=1),
        captured_text="a minute ago",
        trigger="manual",
    )
    assert (said.captured_by, said.trigger) == ("sender", "manual")
    assert (said.captured_at, said.captured_text) == (NOW - timedelta(minutes=1), "a minute ago")
    reason = taken(here, data, name="Schedule_20260301-113001.jpg", zone=UTC, trigger="face")
    assert (reason.captured_by, reason.trigger) == ("name", "face")


def test_a_picture_that_was_asked_for_was_taken_just_now(here: Core):
    asked = SnapshotRequested(camera="porch", reason="manual").event(subject="porch", cause="x")
    data = photo(taken="2019:03:01 11:00:00")
    found = taken(here, data, name="Schedule_20260301-113000.jpg", cause=asked, key="k")
    assert (found.captured_by, found.captured_at, found.trigger) == ("arrival", NOW, "")


@pytest.mark.promise("fault F12")
@pytest.mark.parametrize(
    ("name", "skew_s", "by"),
    [
        ("MDAlarm_20260301-115501.jpg", None, "name"),
        ("MDAlarm_20260301-115459.jpg", -301.0, "name"),
        ("MDAlarm_20260301-130000.jpg", 3600.0, "name"),
        ("MDAlarm_20260303-120000.jpg", 172800.0, "arrival"),
        ("MDAlarm_20000101-120000.jpg", -825638400.0, "arrival"),
        ("a.jpg", None, "arrival"),
    ],
)
def test_a_clock_far_from_the_arrival_is_flagged_and_what_it_said_is_kept(
    here: Core, name: str, skew_s: float | None, by: str
):
    found = taken(here, picture(), name=name, zone=UTC)
    assert (found.skew_s, found.captured_by) == (skew_s, by)
    assert found.captured_text == (name[8:-4] if "_" in name else "")
    if by == "arrival":
        assert found.captured_at == NOW


@pytest.mark.promise("fault C4")
def test_a_header_makes_no_repeat_of_what_a_frozen_camera_sends(here: Core, clock: Clock):
    data = photo(taken="2026:03:01 11:59:00")
    for number in range(3):
        assert not here.arrive(data, name=f"{number}.jpg", zone=UTC).duplicate
    clock.forward(3600)
    assert not here.arrive(data, name="0.jpg", zone=UTC).duplicate


def block(*entries: tuple[int, int, int, int], order: str = "<", inner: int = 8) -> bytes:
    """A JPEG with this TIFF block in its header, and nothing that a decoder wants."""
    first = b"II*\0" if order == "<" else b"MM\0*"
    tiff = first + struct.pack(f"{order}I", inner) + struct.pack(f"{order}H", len(entries))
    tiff += b"".join(struct.pack(f"{order}HHII", *entry) for entry in entries)
    tiff += b"2026:03:01 11:00:00\0"
    content = b"Exif\0\0" + tiff
    header = b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content
    return picture()[:2] + header + picture()[2:]


@pytest.mark.promise("sec B7")
@pytest.mark.parametrize(
    "data",
    [
        block((0x8769, 4, 1, 0xFFFFFFF0)),
        block((0x8769, 4, 1, 8)),  # into itself
        block((0x8769, 4, 1, 8), (ORIGINAL, 2, 0xFFFFFFFF, 0xFFFFFFFF)),
        block((0x8769, 4, 1, 8), (ORIGINAL, 2, 20, 1 << 31)),
        block((0x8769, 3, 1, 8), (ORIGINAL, 2, 20, 34)),
        block(*[(1, 1, 1, 1)] * 300, (0x8769, 4, 1, 8)),
        block(inner=0xFFFFFFFF),
        block(order=">", inner=1 << 30),
        picture()[:2] + b"\xff\xe1\x00\x08Exif\0\0" + picture()[2:],
        picture(),
        photo(taken="yesterday"),
        photo(taken="0001:01:01 00:00:00"),
        photo(taken="9999:12:31 23:59:59"),
        photo(taken="2026:13:40 25:61:61"),
    ],
)
def test_a_damaged_or_senseless_header_says_nothing(here: Core, data: bytes):
    time_in(data)
    found = taken(here, data, name="a.jpg", zone=TOKYO)
    assert (found.captured_by, found.captured_at) == ("arrival", NOW)


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_orders_of_bytes_are_read(order: str):
    at = 8 + 2 + 2 * 12
    data = block((0x8769, 4, 1, 8), (ORIGINAL, 2, 20, at), order=order)
    assert time_in(data) == "2026:03:01 11:00:00"
