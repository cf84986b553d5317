"""A picture that the detector finds unsound is asked for once more, if its camera can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from services.camera.again import WORTH_IT
from services.detector.analyst import Analyst
from shared.events import Event, SnapshotRequested, now
from shared.ingest.intake import Arrival
from shared.service import Service
from tests.support.asking import Place, ask, request
from tests.support.cameras import FaultyCamera, answer
from tests.support.making import events_of
from tests.support.pictures import damaged, jpeg

DAMAGED = damaged(jpeg())["flipped bytes"]


def rejected(place: Place, taken: Event) -> Event:
    """What the detector says of it, as recorded."""
    (said,) = Analyst(place.store, None)(taken)
    assert said.topic == "snapshot.rejected"
    place.journal.append([said])
    return said


def told(service: Service, event: Event) -> Sequence[Event]:
    return events_of(service.handlers["snapshot.rejected"](event))


def pushed(place: Place, camera: str) -> Event:
    """A damaged picture that a camera sent by itself."""
    part = place.intake.receive()
    part.write(DAMAGED)
    place.intake.accept(part, Arrival(camera=camera, door="ftp"))
    return place.said[-1]


@pytest.mark.promise("feat A17")
def test_an_unsound_picture_is_asked_for_again_and_the_second_is_taken(
    place: Place, camera: FaultyCamera
) -> None:
    pictures = iter([DAMAGED, jpeg()])
    camera.faults["/now"] = lambda camera, wire, _: wire.sendall(answer(next(pictures)))
    service = place.service({"gate": {"url": camera.url("/now")}})
    first = request()
    place.journal.append([first])
    ask(service, first)
    bad = rejected(place, place.said[-1])

    (again,) = told(service, bad)

    asked = again.parsed(SnapshotRequested)
    assert (asked.camera, asked.reason, again.cause) == ("gate", "unsound", bad.id)
    assert told(service, bad)[0].id == again.id  # the same, however often it is told
    place.journal.append([again])
    assert ask(service, again) == []
    assert Analyst(place.store, None)(place.said[-1])[0].topic == "snapshot.analyzed"


@pytest.mark.promise("feat A17")
def test_a_camera_that_gives_nothing_sound_is_not_asked_without_end(
    place: Place, camera: FaultyCamera
) -> None:
    camera.faults["/now"] = lambda camera, wire, _: wire.sendall(answer(DAMAGED))
    service = place.service({"gate": {"url": camera.url("/now")}})
    (again,) = told(service, rejected(place, pushed(place, "gate")))
    place.journal.append([again])
    ask(service, again)

    assert told(service, rejected(place, place.said[-1])) == []
    assert len(camera.requests) == 1


@pytest.mark.promise("feat A17")
def test_who_can_not_be_asked_or_was_unsound_long_ago_is_not_asked(
    place: Place, camera: FaultyCamera
) -> None:
    service = place.service({"gate": {"url": camera.url("/fine")}, "porch": None})
    old = rejected(place, pushed(place, "gate"))

    assert told(service, rejected(place, pushed(place, "porch"))) == []
    assert told(service, replace(old, time=now() - WORTH_IT)) == []
    assert len(told(service, replace(old, time=now() - WORTH_IT + timedelta(seconds=30)))) == 1
