"""Cameras over the API: how each does, and asking one for a picture now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.events import CameraFailed, CameraTested, now
from tests.support.api import Api, running_api


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running_api(tmp_path) as server:
        yield server


@pytest.mark.promise("feat H3")
def test_a_picture_can_be_asked_for_by_hand_and_the_request_followed(api):
    accepted = api.post("/v1/cameras/porch/snapshots")

    assert accepted.status == 202
    url = accepted.headers["location"]
    (requested,) = api.announced
    assert (requested.topic, requested.data["reason"]) == ("snapshot.requested", "manual")
    assert api.ask(url).json["state"] == "waiting"

    taken = api.take(cause=requested, key=requested.id, door="fetch")

    done = api.ask(url).json
    assert (done["state"], done["snapshot"]) == ("done", f"/v1/snapshots/{taken.snapshot_id}")


def test_a_request_that_failed_says_why(api):
    url = api.post("/v1/cameras/porch/snapshots").json["url"]
    failed = CameraFailed(camera="porch", reason="no route to the camera", attempts=3)
    api.context.record([failed.event(subject="porch", cause=api.announced[0])])

    assert api.ask(url).json["state"] == "failed"
    assert api.ask(url).json["reason"] == "no route to the camera"


def test_an_idempotency_key_makes_one_request_of_two(api):
    first = api.post("/v1/cameras/porch/snapshots", Idempotency_Key="k1")
    again = api.post("/v1/cameras/porch/snapshots", Idempotency_Key="k1")
    other = api.post("/v1/cameras/porch/snapshots", Idempotency_Key="k2")

    assert first.json["id"] == again.json["id"] != other.json["id"]
    assert len(api.announced) == 2


def test_cameras_that_cannot_be_asked_say_what_to_do(api):
    unknown = api.post("/v1/cameras/nowhere/snapshots")
    pushing = api.post("/v1/cameras/street/snapshots")

    assert unknown.status == 404
    assert pushing.status == 409
    assert "cameras.street.fetch" in pushing.json["detail"]
    assert not api.announced


@pytest.mark.promise("feat B18")
def test_a_snapshot_says_why_it_was_taken_and_how_far_its_clock_was_off(api):
    late = datetime.now(UTC) - timedelta(hours=1)
    taken = api.take("porch", name=f"MDAlarm_{late:%Y%m%d-%H%M%S}.jpg", zone=UTC)
    plain = api.take("porch", name="x.jpg")

    shown = api.ask(f"/v1/snapshots/{taken.snapshot_id}").json
    assert (shown["trigger"], shown["captured_by"]) == ("motion", "name")
    assert -3700 < shown["skew_s"] < -3500
    assert shown["story"][0]["data"]["captured_text"] == f"{late:%Y%m%d-%H%M%S}"
    other = api.ask(f"/v1/snapshots/{plain.snapshot_id}").json
    assert (other["trigger"], other["captured_by"], other["skew_s"]) == ("", "arrival", None)


@pytest.mark.promise("feat A20")
def test_a_camera_tells_how_its_last_picture_was_got(api):
    seen = "reached, login: Digest, 512 kB in 0.43 s, clock: 7 hours behind ours"
    at = "2026-11-21T17:00:00Z"
    cameras = {"porch": {"ok": True, "seen": seen, "last_ok": at}}
    api.context.journal.report("camera", now(), {"ok": True, "cameras": cameras})

    porch, street = api.ask("/v1/cameras").json

    assert (porch["seen"], street["seen"]) == (seen, "")
    assert (porch["seen_at"], street["seen_at"]) == (at, None)


def test_cameras_tell_their_doors_last_picture_failure_and_counts_but_no_secret(api):
    api.take("porch")
    failed = CameraFailed(camera="porch", reason="timed out").event(subject="porch", cause="x")
    tested = CameraTested(camera="street", door="ftp").event(subject="street", cause="y")
    api.context.record([failed, tested])

    answer = api.ask("/v1/cameras")
    porch, street = answer.json

    assert [door["kind"] for door in porch["doors"]] == ["ftp", "fetch"]
    assert porch["can_be_asked"] and porch["failing"]
    assert porch["last_failure"]["reason"] == "timed out"
    assert porch["counts"] == {"taken": 1}
    assert porch["last_snapshot"]["state"] == "taken"
    door = {"kind": "ftp", "port": 2121, "tls_port": None, "account": "str33t", "every_s": None}
    assert street["doors"] == [door]
    assert not street["can_be_asked"] and street["last_test"] and not street["last_snapshot"]
    assert b"canary" not in answer.body and b"10.0.0.9" not in answer.body
