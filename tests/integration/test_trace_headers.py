"""The trace of who asks or sends goes on in what follows from that."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.trace import trace_id
from tests.support.api import running_api
from tests.support.asking import Place, ask, request
from tests.support.cameras import FaultyCamera
from tests.support.httpdoor import KINDS, http_doors
from tests.support.making import picture

TRACE = "0af7651916cd43dd8448eb211c80319c"
HEADERS = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "baggage": "house=7"}


@pytest.mark.promise("feat D10")
@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_brought_belongs_to_the_trace_of_its_request(tmp_path: Path, kind: str):
    with http_doors(tmp_path) as doors:
        assert 200 <= doors.send(kind, picture(1), **HEADERS).status < 300
        assert 200 <= doors.send(kind, picture(2)).status < 300
        traced, other = doors.api.announced
    assert (trace_id(traced.trace or ""), traced.baggage) == (TRACE, "house=7")
    assert traced.trace != HEADERS["traceparent"]
    assert (trace_id(other.trace or ""), other.baggage) == (other.id.replace("-", ""), None)


@pytest.mark.promise("feat D10")
def test_a_picture_that_is_asked_for_belongs_to_the_trace_of_its_request(tmp_path: Path):
    with running_api(tmp_path) as api:
        assert api.post("/v1/cameras/porch/snapshots", **HEADERS).status == 202
        (asked,) = api.announced
    assert (trace_id(asked.trace or ""), asked.baggage) == (TRACE, "house=7")


@pytest.mark.promise("feat D10")
def test_a_camera_is_told_of_no_trace_and_its_picture_has_that_of_the_request(
    place: Place, camera: FaultyCamera
):
    """What is said to a camera is its maker's protocol, which knows no trace."""
    service = place.service({"gate": {"url": camera.url("/fine")}})
    event = request()
    assert ask(service, event) == []
    (taken,) = place.said
    assert trace_id(taken.trace or "") == trace_id(event.trace or "") != ""
    assert not [each for each in camera.requests if b"traceparent" in bytes(str(each), "utf-8")]
