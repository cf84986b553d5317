"""What the house is told: of its triggers, of uploads, once, and no old news."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import msgpack
import pytest
import time_machine

from services.legacy.devices import Devices
from services.legacy.house import House
from services.legacy.tell import TellHouse
from shared.errors import Unreachable
from shared.events import (
    Event,
    SnapshotNotified,
    SnapshotRequested,
    SnapshotShared,
    now,
)
from tests.support.making import Core, analyzed, core, events_of, picture

ASKED = datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC)


@dataclass
class FakeHouse:
    """Holds what it was sent; ``away`` says why it can't be reached."""

    sent: list[tuple[str, bytes, str]] = field(default_factory=list)
    away: str = ""

    def send(self, key: str, body: bytes, message_id: str) -> None:
        if self.away:
            raise Unreachable("house", self.away)
        self.sent.append((key, body, message_id))

    def devices(self) -> list[dict[str, Any]]:
        return [msgpack.unpackb(body)["inputs"][0] for _key, body, _id in self.sent]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Core]:
    tree = {
        "cameras": {
            "gate": {"place": "Gate", "fetch": {"url": "http://192.0.2.1/a.jpg"}},
            "yard": {"ftp": {"password": "x"}},
        }
    }
    with closing(core(tmp_path, tree)) as made:
        yield made


@pytest.fixture
def house() -> FakeHouse:
    return FakeHouse()


def teller(here: Core, house: FakeHouse, **section: Any) -> TellHouse:
    legacy = here.settings.legacy.model_copy(update=section)
    return TellHouse(
        here.journal,
        here.store,
        cast(House, house),
        Devices(legacy, here.parts.cameras),
        legacy,
        analyzer="detector",
    )


def request(here: Core, by: str = "house", cause: str = "1") -> Event:
    data = SnapshotRequested(
        camera="gate", reason="event", requested_by=by, asked_at=ASKED, device_label="The gate"
    )
    event = data.event(subject="gate", cause=cause)
    here.journal.append([event])
    return event


def taken(here: Core, **arrival: Any) -> Event:
    """The ``snapshot.taken`` of a picture that came so."""
    accepted = here.arrive(picture(1), **arrival)
    story = here.journal.read.story(accepted.snapshot_id)
    return story[0].event


def fetched(here: Core, cause: Event) -> Event:
    return taken(here, camera="gate", door="fetch", key=cause.id, cause=cause)


def seen(here: Core, cause: Event, *labels: str, confidence: float = 0.9) -> Event:
    event = analyzed(cause, *labels, confidence=confidence)
    here.journal.append([event])
    return event


def told(results: object) -> list[SnapshotNotified]:
    return [SnapshotNotified.model_validate(each.data) for each in events_of(cast(Any, results))]


@pytest.mark.promise("feat D2", "feat D4")
def test_the_answer_to_a_trigger_has_its_time_and_label(here: Core, house: FakeHouse) -> None:
    asked = request(here)
    event = seen(here, fetched(here, asked), "person", "dog", "person")
    (said,) = told(teller(here, house).analyzed(event))

    ((key, body, message_id),) = house.sent
    assert key == said.routing_key == "event.notify.snapshot.snapshot-processor.image"
    assert house.devices() == [
        {
            "device_key": "Gate Camera",
            "device_label": "The gate",
            "type": "camera",
            "image": picture(1),
            "image_timestamp": str(int(ASKED.timestamp())),
            "storage_url": None,
            "storage_path": "/data/ftp/uploads/snapshots/gate/fetch_gate-camera_1772366407.jpg",
            "event_detail": "2 person(s) and 3 things",
        }
    ]
    assert (said.told, said.reason, said.device_key) == (True, "", "Gate Camera")
    assert message_id and body


@pytest.mark.parametrize(
    ("labels", "confidence", "detail"),
    [
        (["dog", "car"], 0.9, None),
        ([], 0.9, None),
        (["person", "dog"], 0.79, None),
        (["Person", "dog"], 0.8, "1 person(s) and 2 things"),
    ],
)
def test_only_of_people_is_said_what_was_seen(
    here: Core, house: FakeHouse, labels: list[str], confidence: float, detail: str | None
) -> None:
    event = seen(here, fetched(here, request(here)), *labels, confidence=confidence)
    teller(here, house).analyzed(event)

    assert [each.get("event_detail") for each in house.devices()] == [detail]


@pytest.mark.promise("feat D2")
def test_what_a_camera_sent_is_told_and_what_a_person_asked_for_is_not(
    here: Core, house: FakeHouse
) -> None:
    tell = teller(here, house)
    sent = seen(here, taken(here, camera="yard", name="cam/a_b_1.jpg"), "person")
    by_hand = seen(here, fetched(here, request(here, by="anna")))

    assert [each.told for each in told(tell.analyzed(sent))] == [True]
    assert tell.analyzed(by_hand) == []
    (device,) = house.devices()
    assert house.sent[0][0] == "event.notify.snapshot.snapshot-processor"
    assert device["device_key"] == device["device_label"] == "yard Camera"
    assert device["storage_path"] == "/data/ftp/uploads/snapshots/yard/a_b_1.jpg"
    assert teller(here, house, intervals=True).analyzed(by_hand)
    assert teller(here, house, inputs=("gate",)).analyzed(sent) == []


def test_a_picture_that_answers_two_triggers_is_told_for_both_whatever_came_first(
    here: Core, house: FakeHouse
) -> None:
    tell = teller(here, house)
    first, second, third = (request(here, cause=str(number)) for number in range(3))
    picture_taken = fetched(here, first)

    def shared(asked: Event) -> Event:
        data = SnapshotShared(camera="gate")
        event = data.event(subject="gate", cause=asked, snapshot_id=picture_taken.snapshot_id)
        here.journal.append([event])
        return event

    before = shared(second)
    assert tell.shared(before) == []  # nothing is known of the picture yet
    analysis = seen(here, picture_taken)
    here.journal.finish("legacy", analysis, events_of(tell.analyzed(analysis)))
    assert len(house.sent) == 2
    after = shared(third)
    here.journal.finish("legacy", after, events_of(tell.shared(after)))
    assert tell.analyzed(analysis) == []
    assert len(house.sent) == 3
    assert len({message_id for *_, message_id in house.sent}) == 3


@pytest.mark.promise("inv I8")
def test_a_repeat_has_the_same_bytes_and_the_same_id(here: Core, house: FakeHouse) -> None:
    """The process may end between the message and the commit."""
    event = seen(here, fetched(here, request(here)), "person")
    tell = teller(here, house)
    tell.analyzed(event)
    with time_machine.travel(now() + timedelta(seconds=30)):
        said = tell.analyzed(event)

    assert house.sent[0] == house.sent[1]
    here.journal.finish("legacy", event, events_of(said))
    assert tell.analyzed(event) == []
    assert len(house.sent) == 2


@pytest.mark.promise("feat D9")
def test_old_news_is_not_told_and_that_is_recorded(here: Core, house: FakeHouse) -> None:
    event = seen(here, fetched(here, request(here)), "person")
    with time_machine.travel(now() + timedelta(seconds=121)):
        (said,) = told(teller(here, house).analyzed(event))

    assert house.sent == []
    assert (said.told, said.reason) == (False, "the picture is 121 s old, no news any more")


def test_a_picture_that_is_too_large_is_not_told_and_that_is_recorded(
    here: Core, house: FakeHouse
) -> None:
    event = seen(here, fetched(here, request(here)))
    (said,) = told(teller(here, house, max_bytes=10).analyzed(event))

    assert house.sent == []
    assert said.reason.endswith("more than legacy.max_bytes")


@pytest.mark.promise("feat D6")
def test_while_the_house_is_away_the_work_waits(here: Core, house: FakeHouse) -> None:
    house.away = "gone"
    with pytest.raises(Unreachable):
        teller(here, house).analyzed(seen(here, fetched(here, request(here))))


def test_the_result_of_another_analyser_is_not_told(here: Core, house: FakeHouse) -> None:
    event = analyzed(fetched(here, request(here)))
    other = Event(**{**_fields(event), "data": {**event.data, "analyzer": "cloud"}})

    assert teller(here, house).analyzed(other) == []


def _fields(event: Event) -> dict[str, Any]:
    names = ("id", "topic", "subject", "time", "data", "snapshot_id", "cause")
    return {name: getattr(event, name) for name in names}
