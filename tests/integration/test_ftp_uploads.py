"""Uploads that are repeated, resumed, aborted or endless, and pictures dated by a wrong clock."""

from __future__ import annotations

import resource
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.fakes import eventually
from tests.support.ftpdoor import PASSWORD, Running, ftp_door
from tests.support.making import picture


def received(door: Running) -> int:
    return int(door.about()["received_bytes"])


@pytest.mark.promise("fault F3", "inv I1")
def test_who_hung_up_before_the_answer_and_sends_again_gets_the_first_id(door: Running):
    raw = door.raw()
    data = raw.begin("x.jpg")
    data.sendall(picture(1))
    eventually(lambda: received(door) > 0)
    raw.close()
    data.close()
    eventually(lambda: door.names() == ["x.jpg"])
    (row,) = door.core.journal.read.snapshots()
    with door.raw() as again:
        assert again.put("x.jpg", picture(1)) == f"226 Transfer complete; known as {row.id}."
    assert door.names() == ["x.jpg"]


@pytest.mark.promise("fault F4")
def test_an_abort_by_urgent_data_is_an_abort(door: Running):
    """As Python's own client and many cameras send it."""
    with door.client() as ftp:
        with ftp.transfercmd("STOR x.jpg") as link:
            link.sendall(picture(1)[:-2])
            eventually(lambda: received(door) > 0)
            assert ftp.abort().startswith("426")
            assert ftp.getresp().startswith("226")
        eventually(lambda: not list(door.core.store.incoming.iterdir()))
    assert door.names() == []


@pytest.mark.promise("fault F5", "inv I1")
def test_the_same_picture_from_two_sessions_at_once_is_one_snapshot(door: Running):
    with door.raw() as first, door.raw() as second:
        links = [raw.begin("x.jpg") for raw in (first, second)]
        for link in links:
            link.sendall(picture(1))
        eventually(lambda: received(door) == 2 * len(picture(1)))
        for link in links:
            link.close()
        answers = sorted(raw.read() for raw in (first, second))
    assert [answer.rpartition(" ")[0] for answer in answers] == [
        "226 Transfer complete; known as",
        "226 Transfer complete; taken as",
    ]
    assert answers[0].split()[-1] == answers[1].split()[-1]
    assert door.names() == ["x.jpg"]


@pytest.mark.promise("fault F6")
def test_who_wants_to_resume_sends_the_whole_picture(door: Running):
    with door.raw() as raw:
        assert raw.ask("REST 0").startswith("350")
        assert raw.put("x.jpg", picture(1)).startswith("226")
        assert raw.ask("REST 100").startswith("502")
        assert raw.put("y.jpg", picture(2)[100:])[0] == "5"
        assert raw.put("y.jpg", picture(2)).startswith("226")
    assert sorted(door.names()) == ["x.jpg", "y.jpg"]


@pytest.mark.promise("feat L3")
@pytest.mark.promise("fault F7", "inv I17")
def test_an_endless_upload_is_stopped_at_the_limit(door: Running):
    chunk = picture(1)[:-2] + bytes(1 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with door.raw() as raw:
        with raw.begin("x.jpg") as link, pytest.raises(ConnectionError):
            for _ in range(200):
                link.sendall(chunk)
        assert raw.read().startswith("552")
        assert raw.put("y.jpg", picture(2)).startswith("226")
    assert door.names() == ["y.jpg"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


@pytest.mark.promise("fault F12")
@pytest.mark.parametrize(
    "name",
    [
        "MDAlarm_19700101-000012.jpg",
        "MDAlarm_20000101-000012.jpg",
        "MDAlarm_20990101-000012.jpg",
        "image.jpg",
    ],
)
def test_a_clock_that_can_not_be_right_is_not_believed(door: Running, name: str):
    began = datetime.now(UTC)
    with door.raw() as raw:
        assert raw.put(name, picture(1)).startswith("226")
    (row,) = door.core.journal.read.snapshots()
    assert row.captured_by == "arrival"
    assert began <= row.received_at == row.captured_at <= datetime.now(UTC)


@pytest.mark.promise("fault F12")
def test_pictures_are_in_the_order_in_which_they_came_whatever_their_camera_says(tmp_path: Path):
    cameras = {"porch": {"ftp": {"password": PASSWORD, "timezone": "Europe/Berlin"}}}
    names = ["20190701-120000.jpg", "image.jpg", "20080101-000000.jpg"]
    with ftp_door(tmp_path, cameras=cameras) as door:
        with door.raw() as raw:
            for number, name in enumerate(names):
                assert raw.put(name, picture(number)).startswith("226")
        assert door.names() == names[::-1]
        rows = {row.name: row for row in door.core.journal.read.snapshots()}
    old = rows["20190701-120000.jpg"]
    assert old.captured_at == datetime(2019, 7, 1, 10, tzinfo=UTC)
    assert old.captured_by == "name"
    assert datetime.now(UTC) - old.received_at < timedelta(minutes=5)
