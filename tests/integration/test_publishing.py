"""Processes publish what they committed, whatever RabbitMQ, the database or a second one do."""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from shared.events import Event, now
from shared.journal import Journal
from tests.support.amqp import Witness
from tests.support.fakes import eventually
from tests.support.listeners import Make
from tests.support.making import taken
from tests.support.postgres import PostgresServer
from tests.support.processes import Process
from tests.support.proxy import Proxy
from tests.support.rabbit import RabbitServer
from tests.support.system import System

BACKLOG = 200


@pytest.mark.promise("fault P3", "inv I6")
def test_during_an_alarm_pictures_are_taken_and_all_comes_through_later(
    served: Process, rabbit: RabbitServer
):
    served.start().ready().send(0)
    served.all_filed(1)
    rabbit.ctl("set_vm_memory_high_watermark", "0.0001")
    try:
        served.send(1, 2, 3)
        served.taken()
    finally:
        rabbit.ctl("set_vm_memory_high_watermark", "0.4")
    served.all_filed(4)
    served.stop()


@pytest.mark.promise("fault P8", "inv I6", "inv I8")
def test_what_was_confirmed_without_a_database_to_note_it_is_published_twice_and_done_once(
    tmp_path: Path, amqp_url: str, postgres_url: str, postgres: PostgresServer
):
    with contextlib.closing(Proxy(postgres.port)) as link:
        url = postgres_url.replace(f":{postgres.port}/", f":{link.port}/")
        served = Process(tmp_path, journal={"url": url}, broker={"url": amqp_url})
        served.start().ready()
        served.stop()  # there are tables and queues now
        with contextlib.closing(Witness(amqp_url)) as witness:
            served.start(FAILPOINT="outbox.before_mark:1:sleep=3").ready()
            served.send(0)
            eventually(lambda: witness.heard)  # and the outbox has the confirm, and sleeps
            link.cut()
            eventually(lambda: "events stay unmarked" in served.log())
            link.heal()
            served.all_filed(1)
            served.stop()
            said = Counter((key, event["id"]) for key, event in witness.heard)
    twice = [key for (key, _), count in said.items() if count > 1]
    assert "snapshot.taken.porch" in twice
    assert len(said) == 3


Start = Callable[[str], System]


@pytest.fixture
def start(tmp_path: Path, amqp_url: str, postgres_url: str) -> Iterator[Start]:
    """Starts a scheduler with a failpoint; all share database, store and broker."""
    tree = {
        "data": str(tmp_path / "data"),
        "journal": {"url": postgres_url},
        "broker": {"url": amqp_url},
        "cameras": {"gate": {"fetch": {"url": "http://192.0.2.1/", "every_s": 1}}},
        "scheduler": {"reconcile_s": 0.2},
    }
    with contextlib.ExitStack() as closing:

        def scheduler(name: str, failpoint: str) -> System:
            folder = tmp_path / name
            folder.mkdir()
            system = closing.enter_context(contextlib.closing(System(folder, tree)))
            system.start("scheduler", env={"FAILPOINT": failpoint}, wait=False)
            return system

        yield lambda name: scheduler(name, "reconciler.before_publish:1:sleep=12")


@pytest.mark.promise("fault P6", "fault S1", "inv I6", "inv I12")
def test_two_processes_that_publish_one_backlog_lose_nothing_and_ask_once_per_slot(
    start: Start, make: Make, postgres_url: str
):
    detector = make().open()
    sent = [taken(number) for number in range(BACKLOG)]
    before = now() - timedelta(minutes=1)
    with contextlib.closing(Journal.open(postgres_url, clock=lambda: before)) as earlier:
        earlier.append(sent)

    # Each reads the backlog, waits until the other has read it too, and publishes it.
    both = [start("one"), start("two")]

    def all_marked() -> bool:
        detector.broker.poll(0.01)
        detector.acknowledge()
        return bool(detector.deliveries) and not unpublished(postgres_url, sent)

    eventually(all_marked, timeout=60)
    for each in both:
        each.wait_ready("scheduler")
    for each in both:
        assert each.stop("scheduler") == [0]

    def all_heard() -> bool:
        detector.broker.poll(0.01)
        detector.acknowledge()
        heard = Counter(detector.bodies("detector"))
        return len(heard) == BACKLOG and max(heard.values()) > 1

    eventually(all_heard)
    slots = [math.floor(event.time.timestamp()) for event in requests(postgres_url)]
    assert len(slots) > 2
    assert len(slots) == len(set(slots))


def unpublished(url: str, sent: list[Event]) -> list[Event]:
    """Those of these events that no broker has confirmed."""
    with contextlib.closing(Journal.open(url, owner=False)) as journal:
        return [each for each in journal.recovery.unpublished(now(), 1000) if each in sent]


def requests(url: str) -> list[Event]:
    with contextlib.closing(Journal.open(url, owner=False)) as journal:
        found = journal.read.latest_events(100, topic="snapshot.requested")
        return [each.event for each in found]
