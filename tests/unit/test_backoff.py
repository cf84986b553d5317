"""Pauses grow with each failure, up to a limit, and are spread by chance."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from services.camera.camera import Camera, CaptureFailed
from services.camera.failures import Unreachable
from services.camera.turns import Turns
from shared.amqp.link import Link
from shared.amqp.parameters import parameters
from shared.backoff import pause_s
from shared.events import SnapshotRequested
from shared.settings.fetch import FetchSection
from tests.support.asking import Place


@pytest.mark.parametrize(
    ("failures", "longest"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (500, 60), (10**6, 60)]
)
def test_a_pause_doubles_up_to_its_limit_and_its_upper_half_is_random(failures, longest):
    pauses = {pause_s(failures, 5.0, 60.0) for _ in range(50)}

    assert longest / 2 <= min(pauses)
    assert max(pauses) <= longest
    assert len(pauses) > 10


@pytest.mark.promise("feat D6")
def test_the_broker_is_left_alone_for_longer_after_each_failure_and_a_success_begins_again():
    pauses: list[float] = []

    class Loop:
        def call_later(self, wait_s: float, call: Any) -> None:
            pauses.append(wait_s)

    loop: Any = Loop()
    link = Link(
        loop, parameters("amqp://a:b@localhost/", "test", 5.0), lambda: None, lambda _: None
    )
    for _ in range(7):
        link._on_closed(None, OSError("refused"))
    link._is_ready(lambda: None)
    link._on_closed(None, OSError("refused"))

    longest = [0.5, 1, 2, 4, 5, 5, 5, 0.5]
    assert len(pauses) == len(longest)
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, longest, strict=True))


@pytest.mark.promise("feat A15")
def test_a_camera_is_left_alone_for_longer_after_each_failure(tmp_path: Path):
    pauses: list[float] = []

    class Dead:
        def open(self, deadline: Any) -> Any:
            raise Unreachable("nobody there")

        def close(self) -> None:
            pass

    section = FetchSection(url="http://192.0.2.1/", attempts=7)
    camera = Camera("gate", Dead(), section, pause=pauses.append)
    place = Place(tmp_path)
    with closing(place.journal), pytest.raises(CaptureFailed) as error:
        camera.capture(
            place.intake,
            lambda _: pytest.fail("no picture"),
            SnapshotRequested(camera="gate", reason="interval"),
            request="r",
            turns=Turns(1),
        )

    longest = [0.5, 1, 2, 4, 5, 5]
    assert error.value.attempts == 7
    assert len(pauses) == len(longest)
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, longest, strict=True))
