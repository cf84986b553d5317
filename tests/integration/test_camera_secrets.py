"""A camera's password shows nowhere, and what is not checked is told."""

from __future__ import annotations

import base64
import logging
import threading
from typing import Any

import pytest

from tests.support.asking import Place, ask, failure, request
from tests.support.cameras import FaultyCamera, answer, says

CANARY = "c@nary & pass#1"


@pytest.mark.promise("feat L10")
@pytest.mark.promise("sec K1", "inv I16")
@pytest.mark.parametrize("kind", ["foscam", "basic", "digest", "placeholder"])
def test_a_password_is_in_no_log_no_event_and_no_state(
    place: Place, camera: FaultyCamera, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """Every fault in turn, with a password that would show; also where the camera repeats it."""
    caplog.set_level(logging.DEBUG)
    echo = f"<html><title>wrong: {CANARY}</title>".encode()
    camera.faults["/echo"] = says(answer(echo, kind="text/html"))
    secret = {"username": "admin", "password": CANARY, "timeout_s": 0.3, "attempts": 1}
    texts = []
    quick = [path for path in camera.faults if not path.startswith(("/drip", "/endless", "/bomb"))]
    for path in quick:
        section: dict[str, Any] = {**secret, "url": camera.url(path)}
        if kind == "foscam":
            camera.faults["/cgi-bin/CGIProxy.fcgi"] = camera.faults[path]
            section |= {"kind": "foscam", "url": camera.url()}
        elif kind == "placeholder":
            section["url"] += "?user={username}&password={password}"
        else:
            section["auth"] = kind
        service = place.service({"gate": section})
        texts += [str(event.data) for event in ask(service, request(reason="manual"))]
        texts.append(str(service.about()))
    texts += [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    texts += [str(event) for event in place.said]
    assert len(texts) > 2 * len(quick)
    said = "\n".join(texts)
    for form in (CANARY, "c%40nary", "nary"):
        assert form not in said
    assert any("nary" in each for each in camera.requests) == (kind in ("foscam", "placeholder"))


@pytest.mark.promise("find M2")
def test_a_camera_that_echoes_the_request_tells_nobody_its_password(
    place: Place, camera: FaultyCamera
) -> None:
    """The header of Basic in a title, once whole and once where a report would cut it."""
    login = base64.b64encode(f"admin:{CANARY}".encode()).decode()
    for title in (f"Basic {login}", f"{'A' * 110} {CANARY}"):
        page = f"<title>{title}</title>".encode()
        camera.faults["/echo"] = says(answer(page, kind="text/html"))
        section = {"url": camera.url("/echo"), "username": "admin", "password": CANARY}
        service = place.service({"gate": {**section, "attempts": 1}})
        said = failure(ask(service, request(reason="manual"))).reason + str(service.about())
        assert login[:12] not in said and CANARY[:3] not in said


def test_building_the_service_opens_nothing(place: Place, camera: FaultyCamera) -> None:
    before = threading.active_count()
    place.service({f"cam{n}": {"url": camera.url("/fine")} for n in range(40)})
    assert threading.active_count() == before and camera.requests == []


@pytest.mark.promise("fault C5")
def test_a_camera_whose_certificate_is_not_checked_is_told(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    url = "https://192.0.2.1/"
    service = place.service({"gate": {"url": url, "verify_tls": False}, "yard": {"url": url}})
    states = service.about()["cameras"]
    assert {name: state["any_certificate"] for name, state in states.items()} == {
        "gate": True,
        "yard": False,
    }
    assert "camera gate: any certificate is accepted" in caplog.text
    assert "yard" not in caplog.text


def test_workers_follow_the_number_of_cameras(place: Place) -> None:
    for cameras, workers in ((0, 4), (1, 4), (10, 12), (100, 102), (500, 256)):
        section = {f"cam{n}": {"url": "http://192.0.2.1/"} for n in range(cameras)}
        assert place.service(section).workers == workers
