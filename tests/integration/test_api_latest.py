"""The newest picture of a camera at a fixed address, and the counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from shared.access import Access, Actor
from tests.support.api import CAR, PERSON, Answer, Api, running_api
from tests.support.fakes import eventually
from tests.support.pictures import jpeg

LATEST = "/v1/cameras/porch/latest.jpg"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running_api(tmp_path, {"api": {"timezone": "Europe/Berlin"}}) as server:
        yield server


def plain(red: int, green: int, blue: int) -> bytes:
    return jpeg(Image.new("RGB", (64, 48), (red, green, blue)))


@contextmanager
def asking(api: Api, path: str, **headers: str) -> Iterator[list[tuple[Answer, float]]]:
    """A request in a thread, once the server waits for what it asks for; at the end its answer,
    and how long it took."""
    answers: list[tuple[Answer, float]] = []

    def ask() -> None:
        began = time.monotonic()
        answer = api.ask(path, **headers)
        answers.append((answer, time.monotonic() - began))

    thread = threading.Thread(target=ask, daemon=True)
    before = api.service.about()["streams"]
    thread.start()
    eventually(lambda: bool(answers) or api.service.about()["streams"] > before)
    yield answers
    thread.join(30)
    assert answers


@pytest.mark.promise("find Q3")
def test_the_newest_picture_is_at_a_fixed_address_and_is_sent_once(api):
    api.take("porch", plain(255, 0, 0))
    first = api.ask(LATEST)
    assert (first.status, first.headers["content-type"]) == (200, "image/jpeg")
    assert first.headers["cache-control"] == "private, no-cache"
    again = api.ask(LATEST, If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")

    newer = api.take("porch", plain(0, 0, 255))
    api.take("street", plain(0, 255, 0))
    second = api.ask(LATEST, If_None_Match=first.headers["etag"])
    assert second.status == 200
    assert second.headers["content-location"] == f"/v1/snapshots/{newer.snapshot_id}/picture"
    colour: Any = Image.open(BytesIO(second.body)).resize((1, 1)).getpixel((0, 0))
    red, _, blue = colour
    assert blue > 200 > 50 > red
    head = api.ask(LATEST, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["etag"] == second.headers["etag"]


@pytest.mark.promise("find Q3")
def test_who_waits_gets_the_next_picture_as_it_comes(api):
    api.take("porch")
    known = api.ask(LATEST).headers["etag"]
    with asking(api, f"{LATEST}?wait=30", If_None_Match=known) as answers:
        api.take("street")
        taken = api.take("porch")
        eventually(lambda: answers)
    (answer, took), *_ = answers
    assert (answer.status, answer.headers["etag"]) == (200, f'"{taken.snapshot_id}"')
    assert took < 10
    eventually(lambda: api.service.about()["streams"] == 0)


def test_who_waits_in_vain_is_told_so_and_who_knows_nothing_does_not_wait(api):
    api.take("porch")
    known = api.ask(LATEST).headers["etag"]
    with asking(api, f"{LATEST}?wait=0.5", If_None_Match=known) as answers:
        pass
    (answer, took), *_ = answers
    assert (answer.status, answer.body) == (304, b"")
    assert took >= 0.5
    began = time.monotonic()
    assert api.ask(f"{LATEST}?wait=30").status == 200
    assert time.monotonic() - began < 10


@pytest.mark.promise("sec B2")
def test_who_waits_with_a_key_that_is_revoked_waits_no_longer(tmp_path: Path):
    with running_api(tmp_path, {"api": {"open": False}}) as api:
        api.take("porch")
        keys, me = Access(api.context.journal).keys, Actor("test")
        key, text = keys.add("frame", ["read"], me)
        bearer = {"Authorization": f"Bearer {text}"}
        known = api.ask(LATEST, **bearer).headers["etag"]
        with asking(api, f"{LATEST}?wait=60", If_None_Match=known, **bearer) as answers:
            keys.revoke(key, me)
        (answer, took), *_ = answers
        assert (answer.status, answer.json["type"]) == (
            401,
            "urn:snapbus:problem:credential-refused",
        )
        assert took < 10


def test_the_first_picture_can_be_waited_for(api):
    assert api.ask(LATEST).json["type"] == "urn:snapbus:problem:no-picture"
    with asking(api, f"{LATEST}?wait=30") as answers:
        api.take("porch")
    assert answers[0][0].status == 200


def test_a_damaged_picture_does_not_hide_the_one_before(api):
    sound = api.take("porch")
    whole = jpeg()
    api.take("porch", whole[: len(whole) // 2] + bytes(500) + b"\xff\xd9")
    api.reject(api.take("porch"))
    answer = api.ask(LATEST)
    assert (answer.status, answer.headers["etag"]) == (200, f'"{sound.snapshot_id}"')


def test_what_can_not_be_had_is_told(api):
    assert api.ask("/v1/cameras/attic/latest.jpg").json["type"].endswith("no-such-camera")
    assert api.ask(f"{LATEST}?wait=61").status == 422
    assert api.ask(f"{LATEST}?size=small").status == 422


@pytest.mark.promise("find Q3")
def test_snapshots_are_counted_by_hour_or_day_camera_and_label(api):
    midnight = datetime(2026, 3, 28, 23, tzinfo=UTC)  # in Berlin, of a day of 23 hours
    for minutes, camera, found in (
        (-1, "porch", [PERSON]),
        (0, "porch", [PERSON, CAR]),
        (59, "porch", [PERSON]),
        (60, "street", []),
        (23 * 60, "porch", []),
    ):
        captured = midnight + timedelta(minutes=minutes)
        api.analyze(api.take(camera, captured_at=captured), *found)

    def rows(query: str) -> list[tuple]:
        found = api.ask(f"/v1/counts?{query}").json["counts"]
        return [(e["start"], e["camera"], e["snapshots"], e["labels"]) for e in found]

    day = "2026-03-29T00:00:00+01:00"
    assert rows("by=day&since=2026-03-29T11:00&until=2026-03-29T12:00") == [
        (day, "porch", 2, {"car": 1, "person": 2}),
        (day, "street", 1, {}),
    ]
    assert rows("since=2026-03-29&until=2026-03-30&label=person") == [
        (day, "porch", 2, {"person": 2})
    ]
    assert rows("since=2026-03-29&until=2026-03-31&camera=street") == [
        ("2026-03-29T01:00:00+01:00", "street", 1, {})
    ]
    assert [each[0] for each in rows("by=day&since=2026-03-28&until=2026-03-31&camera=porch")] == [
        "2026-03-28T00:00:00+01:00", day, "2026-03-30T00:00:00+02:00"
    ]  # fmt: skip
    assert api.ask("/v1/counts").json["counts"] == []
    wide = api.ask("/v1/counts?since=2020-01-01")
    assert (wide.status, wide.json["type"]) == (422, "urn:snapbus:problem:window-too-wide")
