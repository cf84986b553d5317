"""Triggers become requests, or are ignored for a reason that is said."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgpack
import pytest

from services.legacy.app import build
from services.legacy.devices import Devices
from services.legacy.house import PREFETCH, Heard
from services.legacy.triggers import Ignored, Triggers, read
from services.legacy.wire import MAX_BODY
from shared.errors import ConfigError, JournalUnavailable
from shared.events import Event, SnapshotRequested
from shared.settings.told import Told, recall
from shared.stop import Stop
from shared.trace import trace_id
from tests.support.making import START, Clock, Core, core

NOW = int(START.timestamp())


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Core]:
    told = {"kind": "told", "path": str(tmp_path / "told/front.json")}
    tree = {
        "cameras": {
            "front": {"place": "Front Door", "fetch": told},
            "gate": {"fetch": {"url": "http://192.0.2.1/a.jpg"}, "device_type": "CCTV cam"},
            "yard": {"ftp": {"password": "x"}},
        },
        "legacy": {"triggers_a_minute": 3},
    }
    with closing(core(tmp_path, tree)) as made:
        yield made


def desk(here: Core, clock: Clock | None = None) -> Triggers:
    devices = Devices(here.settings.legacy, here.parts.cameras)
    return Triggers(here.parts, here.settings.legacy, devices, clock or Clock())


def body(key: str = "Front Door Camera", at: float = NOW, more: Any = None, **output: Any) -> bytes:
    whole = {"timestamp": at, "output_triggered": {"device_key": key, **output}, **(more or {})}
    packed: bytes = msgpack.packb(whole)
    return packed


def ask(triggers: Triggers, raw: bytes) -> Event:
    return triggers.request(read(raw))


@pytest.mark.promise("feat D2", "feat A12")
def test_a_trigger_asks_for_a_picture_now(here: Core) -> None:
    event = ask(desk(here), body(device_label="The door", at=NOW - 20))

    asked = event.parsed(SnapshotRequested)
    assert (event.subject, asked.camera, asked.reason) == ("front", "front", "event")
    assert (asked.device_label, asked.requested_by) == ("The door", "house")
    assert asked.asked_at and asked.expires_at
    assert asked.asked_at.timestamp() == NOW - 20
    assert asked.expires_at.timestamp() == NOW + 100
    assert ask(desk(here), body(device_label="The door", at=NOW - 20)).id == event.id
    assert ask(desk(here), body(device_label="The door", at=NOW - 19)).id != event.id


@pytest.mark.promise("feat D10")
def test_a_request_goes_on_with_the_trace_of_its_trigger(here: Core) -> None:
    sent = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "baggage": "house=7"}
    desk(here)._follow(Heard("event.trigger.snapshot", b"", (1, 1)), read(body(more=sent)), Stop())

    (found,) = here.journal.read.latest_events(9, topic=SnapshotRequested.topic)
    assert found.event.trace and trace_id(found.event.trace) == "a" * 32
    assert found.event.trace != sent["traceparent"]
    assert found.event.baggage == "house=7"
    assert trace_id() == ""  # what comes next belongs to none


@pytest.mark.parametrize("said", ["00-…", 7, "x" * 9_000, ["a"], None])
def test_a_trace_that_is_none_costs_no_picture(here: Core, said: object) -> None:
    event = ask(desk(here), body(more={"traceparent": said, "baggage": said}))

    assert event.trace and trace_id(event.trace) == event.id.replace("-", "")
    assert event.baggage is None


@pytest.mark.parametrize(
    ("key", "label", "camera"),
    [
        ("Front Door Camera", "", "front"),
        ("front door camera", "", "front"),
        ("output 3", "Front Door", "front"),
        ("gate CCTV cam", "", "gate"),
    ],
)
def test_a_camera_is_found_by_key_or_label(here: Core, key: str, label: str, camera: str) -> None:
    assert ask(desk(here), body(key, device_label=label)).subject == camera


@pytest.mark.promise("feat A19")
@pytest.mark.parametrize(
    ("trigger", "why"),
    [
        (body("Yard Camera"), "those are: Front Door Camera, gate CCTV cam"),
        (body("Evil\x1b[2J\nCamera"), r"'Evil \[2J Camera'"),
        (body(at=NOW - 121), "121 s old, more than 120; .* compare the clocks"),
        (body(device_params="u:secret@10.0.0.1"), "the address in it for front: it has no port"),
        (body(device_params="u:secret@8.8.8.8:80"), "8.8.8.8 is in none of the networks"),
        (b"x", "MessagePack"),
    ],
)
def test_what_can_not_be_followed_is_ignored(here: Core, trigger: bytes, why: str) -> None:
    with pytest.raises(Ignored, match=why) as caught:
        ask(desk(here), trigger)
    assert "secret" not in str(caught.value)


def test_an_address_counts_only_for_a_camera_that_is_to_be_told_its_own(here: Core) -> None:
    triggers = desk(here)
    ask(triggers, body(device_params="admin:a@b:c@192.168.1.9:88"))
    ask(triggers, body("gate CCTV cam", device_params="admin:x@192.168.1.10:80"))

    assert recall(here.settings.data / "told/front.json") == Told(
        "192.168.1.9", 88, "admin", "a@b:c"
    )
    assert [each.name for each in (here.settings.data / "told").iterdir()] == ["front.json"]


def test_a_flood_for_one_camera_is_cut_and_leaves_the_others(here: Core) -> None:
    triggers = desk(here)
    for number in range(3):
        ask(triggers, body(at=NOW - number))
    with pytest.raises(Ignored, match="there were 3 for front in a minute"):
        ask(triggers, body(at=NOW - 4))
    ask(triggers, body("gate CCTV cam"))


@pytest.mark.promise("feat D9")
def test_while_the_journal_is_away_a_trigger_waits_until_it_is_stale(
    here: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, tries = Clock(), []
    triggers = desk(here, clock)

    def away(events: object) -> None:
        tries.append(events)
        clock.forward(50)
        raise JournalUnavailable("it is away")

    monkeypatch.setattr(here.journal, "append", away)
    monkeypatch.setattr("services.legacy.triggers.JOURNAL_RETRY_S", 0.001)
    triggers._follow(Heard("event.trigger.snapshot", b"", (1, 1)), read(body()), Stop())

    assert (len(tries), triggers.counts) == (3, {"ignored": 1})


def test_a_recorded_request_is_in_the_journal_and_announced(here: Core) -> None:
    triggers = desk(here)
    heard = Heard("event.trigger.snapshot", b"", (1, 1))
    triggers._follow(heard, read(body()), Stop())
    triggers._follow(heard, read(body()), Stop())  # the same bytes again

    found = here.journal.read.latest_events(9, topic=SnapshotRequested.topic)
    assert [each.event.subject for each in found] == ["front"]
    assert [event.topic for event in here.told] == [SnapshotRequested.topic]


@pytest.mark.parametrize(
    ("tree", "why"),
    [
        ({"enabled": True}, "legacy.url: is missing"),
        ({"enabled": True, "exchange": "snapbus"}, "legacy.exchange: is that of broker.exchange"),
        ({"enabled": True, "url": "http://x"}, "legacy.url is no address of a RabbitMQ"),
    ],
)
def test_a_configuration_that_can_not_work_is_refused(
    tmp_path: Path, tree: dict[str, Any], why: str
) -> None:
    with closing(core(tmp_path, {"legacy": tree})) as here, pytest.raises(ConfigError, match=why):
        build(here.parts)


def test_switched_off_it_listens_to_nothing(here: Core) -> None:
    service = build(here.parts)

    assert (service.handlers, list(service.sources)) == ({}, [])
    assert service.about()["ok"]


def test_a_large_message_is_not_kept_while_its_trigger_waits(here: Core) -> None:
    triggers, raw = desk(here), body(image=bytes(1_000_000))
    before = sys.getrefcount(raw)
    triggers.hear(Heard("event.trigger.snapshot", raw, (1, 1)))

    assert sys.getrefcount(raw) == before
    heard, found = triggers._waiting.get()
    assert (heard.ticket, heard.body) == ((1, 1), b"")
    assert triggers.request(found).id == ask(triggers, raw).id


def test_messages_on_their_way_fit_into_the_container() -> None:
    whole_and_in_pieces = 2 * PREFETCH * MAX_BODY

    assert whole_and_in_pieces <= 100_000_000  # of mem_limit 256m
