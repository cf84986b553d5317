"""Small rules of the API, without a server."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from services.api import watchers
from services.api.derivatives import KEEP_DAYS, Derivatives
from services.api.door import OPEN
from services.api.frames import event_frame, hello
from services.api.guard import Guard
from services.api.problems import Problem
from services.api.state import Remembered
from services.api.watchers import Watcher, Wish
from shared.errors import UnsoundPicture
from shared.events import CameraFailed, CameraTested, Event
from shared.picture.decode import Limits
from shared.store import Store
from tests.support.pictures import damaged, jpeg, scene


def failed(camera: str = "porch", key: str = "x") -> Event:
    return CameraFailed(camera=camera, reason="two\nlines").event(subject=camera, cause=key)


def test_a_wish_is_for_topics_and_cameras():
    tested = CameraTested(camera="gate", door="ftp").event(subject="gate", cause="x")

    assert Wish(OPEN).wants(failed())
    assert Wish(OPEN, topics=("camera.*",)).wants(failed())
    assert not Wish(OPEN, topics=("camera.tested",)).wants(failed())
    assert not Wish(OPEN, topics=("camera",)).wants(failed())
    assert Wish(OPEN, topics=("camera.failed", "camera.tested"), cameras=("gate",)).wants(tested)
    assert not Wish(OPEN, cameras=("gate",)).wants(failed())


def test_a_frame_has_one_line_per_field_whatever_the_event_says():
    for frame in (event_frame(failed()), hello("a\nid: b", "1")):
        lines = frame.decode().split("\n")
        assert lines[-2:] == ["", ""]
        assert all(
            line.partition(":")[0] in ("id", "event", "data", "retry") for line in lines[:-2]
        )


def test_a_watcher_that_falls_behind_is_cut_off_once_and_gets_no_more(monkeypatch):
    monkeypatch.setattr(watchers, "MOST_WAITING", 3)
    cuts: list[str] = []
    events = [failed(key=str(number)) for number in range(9)]

    async def run() -> list[bytes]:
        watcher = Watcher(Wish(OPEN), lambda: cuts.append("cut"))
        watcher.skip = {events[0].id}
        for event in events[:4]:
            watcher.offer(event)
        watcher.push(b"a beat that may be left out", must=False)
        assert cuts == []
        for event in events[4:]:
            watcher.offer(event)
        return [frame async for frame in watcher.frames()]

    frames = asyncio.run(run())

    assert cuts == ["cut"]
    assert frames == [event_frame(event) for event in events[1:4]]


def test_a_slow_question_is_not_asked_by_everybody():
    asked: list[int] = []

    def slow() -> int:
        time.sleep(0.02)
        asked.append(1)
        return len(asked)

    answers = Remembered(slow, seconds=0.0)

    assert [answers() for _ in range(5)] == [1] * 5


@pytest.mark.promise("sec B8")
@pytest.mark.parametrize(
    ("host", "taken"),
    [
        ("localhost", True),
        ("nas:8080", True),
        ("api:8080", True),
        ("10.1.2.3:8080", True),
        ("[fe80::1]:8080", True),
        ("", True),
        ("box.home.arpa", True),
        ("CAMS.example.org:443", True),
        ("cams.example.org.evil.net", False),
        ("evil.net", False),
        ("1.2.3.4.evil.net:8080", False),
        ("[::1].evil.net", True),  # no browser sends that, and nobody can own it
    ],
)
def test_only_names_nobody_else_can_own_are_answered(host, taken):
    guard = Guard(lambda *_: None, ["cams.example.org"])  # type: ignore[arg-type]
    if taken:
        guard._check_host(host)
    else:
        with pytest.raises(Problem, match=r"api\.hosts"):
            guard._check_host(host)


def test_derivatives_nobody_needed_for_long_are_swept(tmp_path: Path):
    store = Store(tmp_path)
    store.create()
    part = store.receive(1_000_000)
    part.write(jpeg(scene(800, 600)))
    sha256 = part.commit().sha256
    derivatives = Derivatives(store, Limits(), thumbnail_px=100)

    kept = derivatives.build(derivatives.thumbnail_kind, sha256)
    old = derivatives.build(derivatives.clean_kind, sha256)
    past = time.time() - KEEP_DAYS * 86_400 - 60
    os.utime(old, (past, past))

    assert derivatives.sweep() == 1
    assert derivatives.cached(derivatives.thumbnail_kind, sha256) == kept
    assert derivatives.cached(derivatives.clean_kind, sha256) is None


@pytest.mark.promise("find H2")
def test_a_picture_that_can_not_be_shown_is_not_decoded_for_each_who_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    store = Store(tmp_path)
    store.create()
    part = store.receive(1_000_000)
    part.write(damaged(jpeg())["flipped bytes"])
    sha256 = part.commit().sha256
    derivatives = Derivatives(store, Limits(), thumbnail_px=100)
    for _ in range(2):
        with pytest.raises(UnsoundPicture, match="does not decode"):
            derivatives.build(derivatives.thumbnail_kind, sha256)
        monkeypatch.setattr("services.api.derivatives.thumbnail", lambda *_: pytest.fail("again"))
