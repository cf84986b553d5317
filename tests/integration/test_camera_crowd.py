"""However many cameras are dead, those that live give their pictures at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from services.camera import app, ending, health
from shared.errors import Retry
from shared.http.deadline import Deadline
from shared.http.errors import TooSlow
from shared.service import Service
from shared.stop import Stop
from tests.support.asking import Place, ask, failure, request
from tests.support.cameras import FaultyCamera, black_hole
from tests.support.fakes import eventually

DEAD = [f"dead{n}" for n in range(200)]
LIVE = [f"live{n}" for n in range(200)]


class Crowd:
    """A service with its workers, and what was asked of it."""

    def __init__(self, service: Service, workers: ThreadPoolExecutor) -> None:
        self.service = service
        self._workers = workers

    def ask(self, names: list[str], **more: Any) -> list[Future[Any]]:
        return [self._workers.submit(ask, self.service, request(n, **more)) for n in names]


@contextmanager
def crowd(place: Place, camera: FaultyCamera, **more: Any) -> Iterator[Crowd]:
    """Cameras that accept and are silent, beside others that answer."""
    sections: dict[str, Any] = {
        name: {"url": camera.url("/silent"), "timeout_s": 60, "attempts": 1, **more}
        for name in DEAD
    }
    sections |= {name: {"url": camera.url("/fine"), **more} for name in LIVE}
    service = place.service(sections)
    with ThreadPoolExecutor(service.workers) as workers, ExitStack() as end:
        end.callback(camera.stop.set)
        yield Crowd(service, workers)


def given(asked: list[Future[Any]], timeout: float) -> int:
    """How many of these were answered with a picture in this time."""
    return sum(each.result() == [] for each in wait(asked, timeout).done)


@pytest.mark.promise("feat D7", "find D9")
@pytest.mark.promise("fault C1")
def test_two_hundred_dead_cameras_delay_none_of_two_hundred(
    place: Place, camera: FaultyCamera
) -> None:
    with crowd(place, camera) as here:
        dead = here.ask(DEAD)
        eventually(lambda: camera.open == len(DEAD), timeout=30)
        assert given(here.ask(LIVE), 30) == len(LIVE)
        assert not any(each.done() for each in dead), "all this while the dead ones were waited for"
        assert len(place.said) == len(LIVE)


@pytest.mark.promise("find D9", "fault C1")
def test_cameras_that_are_down_share_half_of_the_workers(
    place: Place, camera: FaultyCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with more cameras than the most workers."""
    monkeypatch.setattr(app, "MOST_WORKERS", 16)
    with crowd(place, camera) as here:
        camera.faults["/silent"], silent = camera.faults["/503"], camera.faults["/silent"]
        wait(here.ask(DEAD[:50]))  # all of them have failed once
        camera.faults["/silent"] = silent
        dead = here.ask(DEAD[:50], reason="event")
        eventually(lambda: camera.open == 8)
        assert given(here.ask(LIVE), 30) == len(LIVE)
        assert camera.open == 8
        later = [each.exception() for each in dead if each.done()]
        assert len(later) == 42 and all(isinstance(each, Retry) for each in later)
        by_interval = failure(here.ask([DEAD[49]])[0].result(10))
        assert by_interval.attempts == 0 and "too many cameras are down" in by_interval.reason


@pytest.mark.promise("fault C1")
def test_a_camera_that_is_down_rests_from_its_interval_but_not_from_people(
    place: Place, camera: FaultyCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = place.service({"gate": {"url": camera.url("/503"), "attempts": 1}})
    assert [failure(ask(service, request())).attempts for _ in range(4)] == [1, 1, 0, 0]
    assert "not asked for" in failure(ask(service, request())).reason
    assert failure(ask(service, request(reason="manual"))).attempts == 1
    assert failure(ask(service, request(reason="event"))).attempts == 1
    camera.faults["/503"] = camera.faults["/fine"]
    assert ask(service, request(reason="event")) == []
    assert ask(service, request()) == [], "a picture ends the rest"


@pytest.mark.promise("fault C1")
def test_the_rest_grows_up_to_half_a_minute() -> None:
    rests = []
    state = health.Health("gate")
    for _ in range(8):
        state.gave_up()
        rests.append(state.rest_s)
    assert rests[0] == 0 and 1 < rests[1] <= health.FIRST_REST_S
    assert health.LONGEST_REST_S / 2 - 1 < rests[-1] <= health.LONGEST_REST_S


@pytest.mark.promise("find D9")
def test_the_end_of_the_service_waits_for_no_dead_camera_and_puts_its_request_off(
    place: Place, camera: FaultyCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "LAST_MOMENT_S", 0.2)
    with crowd(place, camera) as here:
        dead = here.ask(DEAD[:20])
        eventually(lambda: camera.open == 20)
        stop = Stop()
        stop.set()
        here.service.sources[0].run(stop)
        assert all(isinstance(each.exception(10), Retry) for each in dead)
        assert isinstance(here.ask(["live1"])[0].exception(10), Retry)
        state = here.service.about()["cameras"]["dead1"]
        assert state["failures"] == 0, "that says nothing of the camera"


def test_who_is_being_connected_to_is_hung_up_on_as_well() -> None:
    with black_hole() as port, Deadline(60) as deadline, ThreadPoolExecutor(1) as pool:
        connecting = pool.submit(deadline.connect, "127.0.0.1", port)
        with pytest.raises(TimeoutError):
            connecting.result(0.2)
        deadline.cut()
        if connecting.exception(5) is None:
            connecting.result().close()
        with pytest.raises(TooSlow):
            deadline.connect("127.0.0.1", port)
