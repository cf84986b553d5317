"""The stream of events: nothing is missed, nobody slow is waited for."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from services.api import tail as tail_module
from services.api import watchers
from services.api.routes import events as routes
from shared.events import CameraFailed, now
from shared.journal.mapping import record
from tests.support.api import PERSON, Api, running_api
from tests.support.fakes import eventually
from tests.support.proxy import Proxy


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running_api(tmp_path) as server:
        yield server


def fail(api: Api, camera: str, *keys: object, reason: str = "no answer") -> list[str]:
    """Let a camera fail once per key; the ids of the events."""
    events = [
        CameraFailed(camera=camera, reason=reason).event(subject=camera, cause=f"{camera} {key}")
        for key in keys
    ]
    api.context.record(events)
    return [event.id for event in events]


def take_ids(frames, count: int) -> list[str]:
    return [frames.next_event()["id"] for _ in range(count)]


def test_what_happens_is_told_at_once_as_on_the_bus(api):
    with api.stream() as frames:
        taken = api.take()
        api.analyze(taken, PERSON)
        first, second = frames.next_event(), frames.next_event()

    assert (first["event"], first["id"]) == ("snapshot.taken", taken.id)
    assert first["data"]["specversion"] == "1.0"
    assert first["data"]["snapshotid"] == taken.snapshot_id
    assert second["data"]["data"]["detections"][0]["label"] == "person"


def test_a_stream_can_be_narrowed_to_topics_and_cameras(api):
    with (
        api.stream("?topic=camera.*&camera=porch") as one,
        api.stream("?topic=snapshot.taken") as two,
    ):
        fail(api, "street", 1)
        taken = api.take("porch")
        failed = fail(api, "porch", 2)
        assert take_ids(one, 1) == failed
        assert take_ids(two, 1) == [taken.id]


@pytest.mark.promise("fault S3")
def test_a_stream_resumes_after_the_last_event_it_got(api):
    with api.stream() as frames:
        ids = fail(api, "porch", *range(3))
        assert take_ids(frames, 3) == ids
    later = fail(api, "porch", *range(3, 8))

    with api.stream(Last_Event_ID=ids[1]) as frames:
        assert take_ids(frames, 6) == [ids[2], *later]
        now = fail(api, "porch", "now")
        assert take_ids(frames, 1) == now


@pytest.mark.promise("fault S3")
def test_a_stream_that_a_proxy_cuts_again_and_again_has_no_gap_and_no_repeat(api):
    sent: list[str] = []
    got: list[str] = []
    last: dict[str, str] = {}
    with closing(Proxy(api.port)) as proxy:
        for turn in range(4):
            with api.stream(port=proxy.port, **last) as frames:
                sent += fail(api, "porch", *((turn, n) for n in range(10)))
                got += take_ids(frames, len(sent) - len(got))
                proxy.reset_all()
                with pytest.raises(OSError):
                    frames.next()
            last = {"Last_Event_ID": got[-1]}
            sent += fail(api, "porch", *((turn, "away", n) for n in range(10)))
        with api.stream(port=proxy.port, **last) as frames:
            got += take_ids(frames, len(sent) - len(got))
    assert got == sent


@pytest.mark.promise("fault S3", "feat L7")
def test_one_stream_more_than_there_is_room_for_is_told_to_come_later(api, monkeypatch):
    monkeypatch.setattr(routes, "MOST_STREAMS", 20)
    with ExitStack() as streams:
        for _ in range(20):
            streams.enter_context(api.stream())
        eventually(lambda: api.service.about()["streams"] == 20)
        refused = api.ask("/v1/events")
        assert (refused.status, refused.headers["retry-after"]) == (503, "30")
    eventually(lambda: api.service.about()["streams"] == 0)
    with api.stream():
        pass


def test_a_stream_that_told_nothing_yet_can_be_resumed_too(api):
    fail(api, "porch", "before")
    with api.stream("?camera=street") as frames:
        eventually(lambda: api.service.about()["streams"] == 1)
        place = frames.greeting["id"]
    missed = fail(api, "street", *range(2))

    with api.stream("?camera=street", Last_Event_ID=place) as frames:
        assert take_ids(frames, 2) == missed


def test_a_restarted_server_resumes_from_the_journal(tmp_path, monkeypatch):
    monkeypatch.setattr(tail_module, "PAGE", 40)
    with running_api(tmp_path) as api:
        ids = fail(api, "porch", *range(150))
    with running_api(tmp_path) as api, api.stream(Last_Event_ID=ids[4]) as frames:
        later = fail(api, "porch", "later")
        got = list(itertools.takewhile(lambda each: each != later[0], _ids(frames)))

    # Those just before may come again, since PostgreSQL may commit them late; none is missing.
    assert [each for each in got if each in ids[5:]] == ids[5:]
    assert len(got) == len(set(got))
    assert ids[4] not in got


def _ids(frames) -> Iterator[str]:
    while True:
        yield frames.next_event()["id"]


def test_an_unknown_place_is_told_as_lost_and_the_stream_goes_on_from_now(api):
    with api.stream() as frames:
        old = fail(api, "porch", "old")
        assert take_ids(frames, 1) == old
    with api.stream(Last_Event_ID="never-heard-of") as frames:
        assert json.loads(frames.next()["data"])["lost"] is True
        now = fail(api, "porch", "new")
        assert take_ids(frames, 1) == now


@pytest.mark.promise("feat H2", "fault S3")
def test_quiet_streams_get_comments_and_pings(tmp_path, monkeypatch):
    assert tail_module.BEAT_S <= 15
    monkeypatch.setattr(tail_module, "BEAT_S", 0.05)
    with running_api(tmp_path) as api, api.stream() as frames:
        beats = [frames.next() for _ in range(4)]

    kinds = [each.get("event", "comment") for each in beats]
    assert kinds in (["comment", "ping"] * 2, ["ping", "comment"] * 2)
    assert json.loads(beats[kinds.index("ping")]["data"])["event"] == "ping"


@pytest.mark.promise("fault S3")
def test_a_reader_that_falls_behind_is_cut_off_and_others_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(watchers, "MOST_WAITING", 50)
    with running_api(tmp_path) as api, api.stream() as frames, closing(socket.socket()) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", api.port))
        slow.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        eventually(lambda: api.service.about()["streams"] == 2)
        for turn in itertools.count():
            ids = fail(api, "porch", *((turn, n) for n in range(45)), reason="x" * 12_000)
            assert take_ids(frames, 45) == ids
            if api.service.about()["streams"] == 1:
                break
            assert turn < 200, "the slow reader was never cut off"


@pytest.mark.promise("feat H5")
def test_readers_that_went_away_are_forgotten(api):
    for _ in range(5):
        with api.stream():
            eventually(lambda: api.service.about()["streams"] >= 1)
    eventually(lambda: api.service.about()["streams"] == 0)


def test_the_server_stops_at_once_although_streams_are_open(tmp_path):
    with running_api(tmp_path) as api, api.stream() as frames:
        api.stop.set()
        with pytest.raises(EOFError):
            frames.next()


def test_events_that_postgresql_commits_late_are_told_all_the_same(tmp_path, postgres_url):
    with running_api(tmp_path, {"journal": {"url": postgres_url}}) as api, api.stream() as frames:
        late = CameraFailed(camera="porch", reason="late").event(subject="porch", cause="late")
        with api.context.journal._database.writing() as connection:
            record(connection, [late], now())  # has its place in the journal, but is not committed
            early = fail(api, "porch", "early")
            assert take_ids(frames, 1) == early
        assert take_ids(frames, 1) == [late.id]

        more = fail(api, "porch", "more")
        assert take_ids(frames, 1) == more
