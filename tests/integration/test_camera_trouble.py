"""The camera service when cameras fail, refuse, hang or send too much, or nothing can be kept."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.camera import camera as cameras
from services.camera import fetch
from shared.errors import Retry, StoreFull
from shared.events import Event, now
from shared.store.part import BUFFERS
from tests.support.asking import Place, ask, failure, request
from tests.support.camera_pictures import PICTURE
from tests.support.cameras import FOSCAM_WRONG, FaultyCamera, answer, says
from tests.support.fakes import eventually
from tests.support.ports import free_port

CANARY = "c@nary & pass#1"


@pytest.mark.promise("feat A15")
def test_a_camera_that_fails_once_is_asked_again(place: Place, camera: FaultyCamera) -> None:
    answers = iter(["/503", "/reset", "/fine"])
    camera.faults["/moody"] = lambda *them: camera.faults[next(answers)](*them)
    assert ask(place.service({"gate": {"url": camera.url("/moody")}}), request()) == []
    assert len(camera.requests) == 3 and len(place.said) == 1


@pytest.mark.promise("feat A15", "feat A34", "fault C1")
def test_a_camera_that_never_answers_ends_as_failed(place: Place) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    service = place.service({"gate": {"url": url}})
    event = request()
    first, again = ask(service, event), ask(service, event)
    assert failure(first).attempts == 3
    assert "Connection refused" in failure(first).reason
    assert first[0].id == again[0].id and first[0].cause == event.id
    assert failure(again).attempts == 1, "a camera known to be down is asked once per request"
    assert not service.about()["ok"]
    assert "not: gate" in service.about()["summary"]
    assert list(place.store.incoming.iterdir()) == []


@pytest.mark.promise("fault S4")
def test_no_attempt_begins_after_the_request_has_expired(
    place: Place, camera: FaultyCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cameras, "FIRST_PAUSE_S", 0.3)
    service = place.service({"gate": {"url": camera.url("/503"), "attempts": 9}})
    said = failure(ask(service, request(expires_at=now() + timedelta(seconds=0.4))))
    assert said.attempts < 5


@pytest.mark.promise("fault C2")
def test_wrong_credentials_cost_one_try_until_a_person_asks(
    place: Place, camera: FaultyCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera.faults["/cgi-bin/CGIProxy.fcgi"] = says(answer(FOSCAM_WRONG, kind="text/xml"))
    section = {"kind": "foscam", "url": camera.url(), "username": "admin", "password": CANARY}
    service = place.service({"gate": section})
    assert failure(ask(service, request())).attempts == 1
    for _ in range(5):
        said = failure(ask(service, request()))
        assert said.attempts == 0 and "to spare the account" in said.reason
    assert len(camera.requests) == 1
    monkeypatch.setattr(cameras, "BY_HAND_S", 0.0)
    service = place.service({"gate": section})
    ask(service, request())
    ask(service, request(reason="manual"))
    assert len(camera.requests) == 3
    camera.faults["/cgi-bin/CGIProxy.fcgi"] = camera.faults["/fine"]
    assert ask(service, request(reason="manual")) == []
    assert ask(service, request()) == []


@pytest.mark.promise("find M3")
def test_forty_triggers_try_a_refused_password_once(place: Place, camera: FaultyCamera) -> None:
    camera.faults["/cgi-bin/CGIProxy.fcgi"] = says(answer(FOSCAM_WRONG, kind="text/xml"))
    section = {"kind": "foscam", "url": camera.url(), "username": "admin", "password": CANARY}
    service = place.service({"gate": section})
    said = [failure(ask(service, request(reason="manual"))) for _ in range(40)]
    assert len(camera.requests) == 1
    assert all("user or password is wrong" in each.reason for each in said)


@pytest.mark.promise("find M3", "fault C2")
def test_requests_that_were_made_before_the_camera_was_asked_share_its_answer(
    place: Place, camera: FaultyCamera
) -> None:
    service = place.service({"gate": {"url": camera.url("/fine")}})
    requests = [request(reason="manual") for _ in range(5)]
    assert ask(service, requests[0]) == []
    shared = [event for each in requests[1:] for event in ask(service, each)]
    (taken,) = place.said
    assert [event.topic for event in shared] == ["snapshot.shared"] * 4
    assert {event.snapshot_id for event in shared} == {taken.snapshot_id}
    assert [event.cause for event in shared] == [each.id for each in requests[1:]]
    assert len(camera.requests) == 1
    assert ask(service, requests[0]) == [], "its own picture answers it once more"
    assert ask(service, request(reason="manual")) == [], "a later one asks the camera again"
    assert len(camera.requests) == 3


@pytest.mark.promise("fault C6", "inv I8")
def test_a_request_with_a_picture_of_its_own_shares_no_other_after_a_kill(
    place: Place, camera: FaultyCamera
) -> None:
    cameras = {"gate": {"url": camera.url("/fine")}}
    first, second = request(reason="manual"), request(reason="manual")
    assert ask(place.service(cameras), first) == []
    after = place.service(cameras)
    assert ask(after, second) == []
    assert ask(after, first) == []
    assert [each.cause for each in place.said] == [first.id, second.id]


def test_requests_share_a_failure_as_well_but_nothing_that_is_old(
    place: Place, camera: FaultyCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = place.service({"gate": {"url": camera.url("/503"), "attempts": 1}})
    first, second, third = (request() for _ in range(3))
    assert failure(ask(service, first)).attempts == 1
    assert failure(ask(service, second)).attempts == 0
    monkeypatch.setattr(fetch, "FRESH_S", 0.0)
    assert failure(ask(service, third)).attempts == 1


@pytest.mark.promise("feat A16")
def test_a_picture_over_the_limit_is_not_kept(tmp_path: Path, camera: FaultyCamera) -> None:
    place = Place(tmp_path, max_bytes=300_000)
    service = place.service({"gate": {"url": camera.url("/endless"), "attempts": 1}})
    assert "more than 300000 bytes" in failure(ask(service, request())).reason
    assert list(place.store.incoming.iterdir()) == []
    place.journal.close()
    eventually(lambda: camera.open == 0)
    assert camera.sent < 20_000_000  # what fits into the socket's buffers


@pytest.mark.promise("fault C3")
@pytest.mark.parametrize("more", [0, 700_000], ids=["in memory", "on the disk"])
def test_nothing_is_kept_of_half_a_picture(place: Place, camera: FaultyCamera, more: int) -> None:
    camera.faults["/half"] = says(answer(PICTURE[:-2] + bytes(more)))
    service = place.service({"gate": {"url": camera.url("/half"), "attempts": 1}})
    assert "cut off" in failure(ask(service, request())).reason
    assert list(place.store.incoming.iterdir()) == []
    assert place.store._buffers._value == BUFFERS


@pytest.mark.promise("fault C1")
def test_a_camera_that_drips_for_ever_is_given_up_in_time_and_nothing_of_it_is_kept(
    place: Place, camera: FaultyCamera
) -> None:
    section = {"url": camera.url("/drip-body"), "timeout_s": 0.4, "attempts": 2}
    service = place.service({"gate": section, "yard": {"url": camera.url("/fine")}})
    began = time.monotonic()
    said = failure(ask(service, request()))
    assert time.monotonic() - began < 20
    assert said.attempts == 2
    assert said.reason.startswith("no complete picture within 0.4 s. ")
    assert list(place.store.incoming.iterdir()) == []
    assert ask(service, request("yard")) == []
    eventually(lambda: camera.open == 0)


@pytest.mark.promise("feat D7")
@pytest.mark.promise("fault C1")
@pytest.mark.parametrize(("path", "count"), [("/silent", 40), ("/drip-body", 5)])
def test_dead_cameras_delay_no_other_and_their_requests_wait_outside(
    place: Place, camera: FaultyCamera, path: str, count: int
) -> None:
    cameras = {f"dead{n}": {"url": camera.url(path), "timeout_s": 20} for n in range(count)}
    service = place.service({**cameras, "gate": {"url": camera.url("/fine")}})
    with ThreadPoolExecutor(service.workers) as workers, ExitStack() as end:
        end.callback(camera.stop.set)
        dead = [workers.submit(ask, service, request(name)) for name in cameras]
        eventually(lambda: camera.open == len(dead))
        again = [workers.submit(ask, service, request(name)) for name in cameras]

        assert workers.submit(ask, service, request("gate")).result(1.5) == []

        for each in again:
            error = each.exception(1.0)
            assert isinstance(error, Retry) and error.after_s
        camera.stop.set()
        assert all(failure(each.result(10)) for each in dead)


def test_one_camera_gets_one_request_at_a_time(place: Place, camera: FaultyCamera) -> None:
    def slow(camera: FaultyCamera, wire: Any, request: str) -> None:
        camera.stop.wait(0.05)
        wire.sendall(answer(PICTURE))

    camera.faults["/slow"] = slow
    service = place.service({"gate": {"url": camera.url("/slow")}})

    def insist(event: Event) -> Sequence[Event]:
        while True:
            with suppress(Retry):  # what the scheduler does a second later
                return ask(service, event)
            camera.stop.wait(0.01)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(insist, [request() for _ in range(6)]))
    assert {event.topic for answer in answers for event in answer} <= {"snapshot.shared"}
    assert camera.most_open == 1
    assert len(place.said) + sum(map(len, answers)) == 6


def test_a_picture_that_cannot_be_kept_now_is_asked_for_again_later(
    place: Place, camera: FaultyCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise StoreFull("only 1 MiB free")

    monkeypatch.setattr(place.journal, "record_snapshots", refuse)
    service = place.service({"gate": {"url": camera.url("/fine")}})
    with pytest.raises(StoreFull):  # the worker waits for the store
        ask(service, request())
    assert list(place.store.incoming.iterdir()) == []
    monkeypatch.undo()
    assert ask(service, request()) == []


def test_a_camera_going_and_coming_is_logged_once_each(
    place: Place, camera: FaultyCamera, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    answers = iter(["/fine"] + ["/503"] * 5 + ["/fine"] * 2)
    camera.faults["/moody"] = lambda *them: camera.faults[next(answers)](*them)
    service = place.service({"gate": {"url": camera.url("/moody"), "attempts": 1}})
    for _ in range(8):
        ask(service, request(reason="event"))
    actions = [record.__dict__.get("action") for record in caplog.records]
    assert [each for each in actions if each in ("camera_down", "camera_up")] == [
        "camera_down",
        "camera_up",
    ]
