"""The camera service from request to snapshot: real sockets, real store, real journal."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.camera import health
from shared.errors import Reject
from shared.events import SnapshotTaken, now
from tests.support.asking import Place, ask, failure, request
from tests.support.camera_pictures import PICTURE, jpeg
from tests.support.cameras import FaultyCamera, answer


@pytest.mark.promise("feat A1", "feat A12", "feat A16")
def test_a_request_becomes_a_snapshot_with_the_bytes_of_the_camera(
    place: Place, camera: FaultyCamera
) -> None:
    service = place.service({"gate": {"url": camera.url("/fine")}})
    event = request()
    assert ask(service, event) == []
    (taken,) = place.said
    data = SnapshotTaken.model_validate(taken.data)
    assert (taken.topic, taken.cause, data.request_id) == ("snapshot.taken", event.id, event.id)
    assert (data.camera, data.door) == ("gate", "fetch")
    assert place.store.read(data.sha256) == PICTURE
    assert service.about()["ok"]
    assert service.about()["cameras"]["gate"]["seen"].startswith("reached, no login, 2 kB in 0.")


@pytest.mark.promise("feat G12")
@pytest.mark.promise("fault C6", "inv I12")
def test_a_request_that_comes_twice_makes_one_snapshot(place: Place, camera: FaultyCamera) -> None:
    shades = iter(range(200))
    camera.faults["/new"] = lambda camera, wire, _: wire.sendall(answer(jpeg(next(shades))))
    cameras = {"gate": {"url": camera.url("/new")}}
    event = request()
    assert ask(place.service(cameras), event) == []
    assert ask(place.service(cameras), event) == []  # as after a restart
    assert len(place.said) == 1
    ask(place.service(cameras), request())  # negative control
    assert len(place.said) == 2


@pytest.mark.promise("fault C4")
def test_a_frozen_camera_makes_a_snapshot_each_time_and_is_told(
    place: Place, camera: FaultyCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "FROZEN_AFTER", 3)
    service = place.service({"gate": {"url": camera.url("/fine")}})
    for _ in range(3):
        ask(service, request())
    assert not service.about()["cameras"]["gate"]["frozen"]
    ask(service, request())
    assert service.about()["cameras"]["gate"]["frozen"]
    assert len({event.snapshot_id for event in place.said}) == 4


@pytest.mark.promise("fault C4")
def test_a_camera_that_thaws_is_not_called_frozen_any_more(
    place: Place, camera: FaultyCamera, caplog: pytest.LogCaptureFixture
) -> None:
    shown = [PICTURE] * (health.FROZEN_AFTER + 5) + [jpeg(7)]
    pictures = iter(shown)
    camera.faults["/now"] = lambda camera, wire, _: wire.sendall(answer(next(pictures)))
    service = place.service({"gate": {"url": camera.url("/now")}})
    frozen = []
    for _ in shown:
        ask(service, request())
        frozen.append(service.about()["cameras"]["gate"]["frozen"])
    assert frozen == [False] * health.FROZEN_AFTER + [True] * 5 + [False]
    assert len({event.snapshot_id for event in place.said}) == len(shown)
    assert caplog.text.count("sends the same picture again and again") == 1


@pytest.mark.promise("feat A19")
def test_a_request_for_no_camera_is_rejected_with_help(place: Place, camera: FaultyCamera) -> None:
    service = place.service({"gate": {"url": camera.url("/fine")}, "porch": None})
    with pytest.raises(Reject, match="'fetch' section"):
        ask(service, request("porch"))
    with pytest.raises(Reject, match="no camera is called 'attic'; those that can be asked: gate"):
        ask(service, request("attic"))
    assert camera.requests == []


@pytest.mark.promise("feat D9")
@pytest.mark.promise("inv I12", "fault S4")
def test_an_expired_request_asks_no_camera_and_says_so(place: Place, camera: FaultyCamera) -> None:
    service = place.service({"gate": {"url": camera.url("/fine")}})
    said = failure(ask(service, request(expires_at=now() - timedelta(seconds=1))))
    assert said.reason.startswith("expired at ") and said.attempts == 0
    assert camera.requests == [] and place.said == []
