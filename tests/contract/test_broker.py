"""What every broker promises the bus: who gets which message, how often, and in what order."""

from __future__ import annotations

import os
import threading
import time

import pytest

from tests.support.transports import (
    DETECTOR,
    Queues,
    Transport,
)


def test_every_bound_queue_gets_a_message_once(transport: Transport) -> None:
    queues = DETECTOR | {"api": (["snapshot.taken", "snapshot"], 10)}
    party = transport.party(queues).open()

    party.publish("1", "snapshot.taken.porch")
    party.until(lambda: len(party.deliveries) == 2)
    party.turn()

    assert party.bodies("detector") == party.bodies("api") == ["1"]


@pytest.mark.parametrize(
    ("topic", "key", "heard"),
    [
        ("snapshot.taken", "snapshot.taken", True),
        ("snapshot.taken", "snapshot.taken.porch", True),
        ("snapshot.taken", "snapshot.taken.porch.left", True),
        ("snapshot", "snapshot.taken.porch", True),
        ("snapshot.taken", "snapshot.takenaway", False),
        ("snapshot.taken", "snapshot.archived.porch", False),
        ("snapshot.taken", "snapshot", False),
        ("snapshot.taken", "my.snapshot.taken", False),
    ],
)
def test_a_topic_stands_for_itself_and_its_subjects(
    transport: Transport, topic: str, key: str, heard: bool
) -> None:
    party = transport.party({"one": ([topic], 10), "control": (["end"], 10)}).open()

    party.publish("1", key)
    party.publish("2", "end")
    party.until(lambda: party.bodies("control"))
    party.until(party.all_told)
    party.turn(0.05)

    assert bool(party.bodies("one")) == heard


def test_messages_of_one_publisher_keep_their_order(transport: Transport) -> None:
    party = transport.party({"detector": (["snapshot.taken"], 1000)}).open()

    for number in range(500):
        party.publish(str(number))
    party.until(lambda: len(party.deliveries) == 500)

    assert party.bodies("detector") == [str(number) for number in range(500)]


def test_no_more_than_the_prefetch_is_handed_out(transport: Transport) -> None:
    queues: Queues = {"slow": (["snapshot"], 3), "fast": (["snapshot"], 7)}
    party = transport.party(queues).open()

    for number in range(10):
        party.publish(str(number))
    party.until(lambda: len(party.deliveries) == 10)
    party.turn()
    assert (len(party.bodies("slow")), len(party.bodies("fast"))) == (3, 7)

    party.acknowledge([next(each for each in party.deliveries if each.queue == "slow")])
    party.until(lambda: len(party.deliveries) == 11)
    party.turn()
    assert party.bodies("slow") == ["0", "1", "2", "3"]


def test_a_directed_message_reaches_only_its_queue(transport: Transport) -> None:
    queues = DETECTOR | {"drive": (["snapshot.taken"], 10)}
    party = transport.party(queues).open()

    party.publish("1", queue="drive")
    party.until(lambda: party.deliveries and party.confirmed)
    party.turn()

    assert party.bodies("drive") == ["1"]
    assert party.bodies("detector") == []
    assert party.deliveries[0].redelivered  # it was delivered before, and is looked at as such


def test_an_event_nobody_listens_to_is_confirmed(transport: Transport) -> None:
    party = transport.party(DETECTOR).open()

    party.publish("1", "snapshot.archived.porch")
    party.until(party.all_told)

    assert party.confirmed == ["1"]
    assert not party.deliveries


def test_bytes_that_are_no_event_pass_through_unchanged(transport: Transport) -> None:
    party = transport.party(DETECTOR).open()
    bodies = [bytes(range(256)), b"\xff\xfe{", b"{" * 20_000]

    for number, body in enumerate(bodies):
        party.publish(str(number), body=body)
    party.until(lambda: len(party.deliveries) == 3)

    assert [each.body for each in party.deliveries] == bodies


def test_a_watched_descriptor_wakes_the_poll_at_once(transport: Transport) -> None:
    party = transport.party(DETECTOR)
    reader, writer = os.pipe()
    seen = []
    party.broker.watch(reader, lambda: seen.append(os.read(reader, 10)))
    party.open()
    party.turn(0.1)

    timer = threading.Timer(0.2, os.write, (writer, b"x"))
    timer.start()
    began = time.monotonic()
    while not seen and time.monotonic() < began + 60:
        party.broker.poll(40)
    waited = time.monotonic() - began

    assert seen == [b"x"]
    assert waited < 20
    timer.join()
    party.broker.close()
    os.close(reader)
    os.close(writer)


def test_polling_waits_no_longer_than_asked(transport: Transport) -> None:
    party = transport.party(DETECTOR).open()
    party.turn(0.1)

    began = time.monotonic()
    for _ in range(20):
        party.broker.poll(0.01)
    party.broker.poll(0)

    assert time.monotonic() - began < 8
