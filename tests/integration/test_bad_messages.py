"""Messages that are no events, or tell of what is not there: put aside, and nobody ends of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pika
import pytest

from shared.envelope import encode
from shared.events import Event
from shared.ingest.intake import Arrival, Intake
from shared.journal import Journal
from tests.support.fakes import eventually
from tests.support.making import analyzed, taken
from tests.support.pictures import jpeg, scene
from tests.support.system import System

Publish = Callable[[str, bytes], None]
SERVICES = ("detector", "drive")


@pytest.fixture
def system(tmp_path: Path, postgres_url: str, amqp_url: str) -> Iterator[System]:
    tree = {"journal": {"url": postgres_url}, "broker": {"url": amqp_url}}
    with closing(System(tmp_path, tree)) as system:
        system.start(*SERVICES)
        yield system


@pytest.fixture
def journal(system: System) -> Iterator[Journal]:
    with closing(system.journal()) as journal:
        yield journal


def arrive(system: System, journal: Journal, width: int) -> Event:
    """A sound picture in store and journal; its ``snapshot.taken``."""
    told: list[Event] = []
    intake = Intake(system.store, journal, told.extend, max_bytes=10**6)
    part = intake.receive()
    part.write(jpeg(scene(width, 240)))
    intake.accept(part, Arrival(camera="porch", door="ftp"))
    return told[0]


@pytest.mark.promise("fault D4", "inv I6")
def test_bad_messages_are_put_aside_with_a_reason_and_good_ones_go_through(
    system: System, journal: Journal, stranger: Any
):
    good, changed = arrive(system, journal, 320), arrive(system, journal, 328)
    system.store.place(changed.data["sha256"]).write_bytes(jpeg(scene(64, 48)))
    missing = taken(1)  # no file stands behind it
    odd = Event("odd", "snapshot.taken", "porch", good.time, {"camera": 5}, source="/else")
    unknown = analyzed(taken(2))  # of a snapshot that nobody catalogued
    journal.append([missing, odd, unknown])
    no_events = [b"\xff no JSON", json.dumps({"specversion": "2.0", "id": "1"}).encode()]

    for body in (*no_events, *map(encode, (missing, odd, changed))):
        stranger.basic_publish("snapbus", "snapshot.taken.porch", body)
    stranger.basic_publish("snapbus", "snapshot.analyzed.porch", encode(unknown))
    stranger.basic_publish("snapbus", "snapshot.taken.porch", encode(good))

    def settled() -> bool:
        states = {item.event.id: item.status for item in journal.recovery.items()}
        assert states == {
            missing.id: "retry", odd.id: "dead", changed.id: "dead", unknown.id: "dead",
        }  # fmt: skip
        snapshot = journal.read.snapshot(good.snapshot_id or "")
        return snapshot is not None and snapshot.state == "archived"

    eventually(settled, timeout=30)
    errors = {item.event.id: item.error for item in journal.recovery.items()}
    assert "no file" in errors[missing.id]
    assert "not that of snapshot.taken" in errors[odd.id]
    assert "no longer has this hash" in errors[changed.id]
    assert "catalogue" in errors[unknown.id]
    letters = [eventually(lambda: stranger.basic_get("snapbus.dead", auto_ack=True)[2])
               for _ in no_events]  # fmt: skip
    assert sorted(letters) == sorted(no_events)
    assert stranger.basic_get("snapbus.dead")[2] is None
    assert system.running() == list(SERVICES)
    assert system.stop(*SERVICES) == [0, 0]


@pytest.fixture
def stranger(system: System) -> Iterator[Any]:
    """A channel of another program, once the services are there."""
    url = pika.URLParameters(system.settings.broker.url.get_secret_value())
    with closing(pika.BlockingConnection(url)) as link:
        yield link.channel()
