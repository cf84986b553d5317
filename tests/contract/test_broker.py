"""What every broker promises the bus; `FEATURES` says what only some do."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import pika
import pytest

from shared.bus.broker import Broker
from shared.bus.local import LocalBroker
from shared.bus.rabbit.broker import RabbitBroker
from tests.support.fakes import eventually
from tests.support.listeners import Party
from tests.support.servers import RabbitServer

Queues = dict[str, tuple[Sequence[str], int]]
"""By name: topics and prefetch."""

DETECTOR: Queues = {"detector": (["snapshot.taken"], 10)}

FEATURES = {
    "local": {"persistent": False, "restartable": False},
    "rabbit": {"persistent": True, "restartable": True},
}


class Transport(Protocol):
    """Makes parties that use the same broker."""

    def party(self, queues: Queues, max_length: int = 1000) -> Party:
        """A party that has not been opened."""

    def again(self, party: Party) -> Party:
        """The same process after its broker was closed."""

    def dead_letters(self) -> list[bytes]:
        """The bodies of the dead letters so far."""


def consuming(broker: Broker, queues: Queues) -> Party:
    for name, (topics, prefetch) in queues.items():
        broker.consume(name, topics, prefetch)
    return Party(broker)


class LocalTransport:
    def __init__(self, closing: contextlib.ExitStack) -> None:
        self._closing = closing

    def party(self, queues: Queues, max_length: int = 1000) -> Party:
        self.broker = LocalBroker(max_length)
        self._closing.callback(self.broker.close)
        return consuming(self.broker, queues)

    def again(self, party: Party) -> Party:
        return Party(self.broker)

    def dead_letters(self) -> list[bytes]:
        return self.broker.dead_letters


class RabbitTransport:
    def __init__(self, closing: contextlib.ExitStack, url: str) -> None:
        self._closing, self.url = closing, url

    def party(self, queues: Queues, max_length: int = 1000) -> Party:
        self._queues, self._max_length = queues, max_length
        broker = RabbitBroker(self.url, max_length=max_length)
        self._closing.callback(broker.close)
        return consuming(broker, queues)

    def again(self, party: Party) -> Party:
        return self.party(self._queues, self._max_length)

    def dead_letters(self) -> list[bytes]:
        found = []
        with contextlib.closing(pika.BlockingConnection(pika.URLParameters(self.url))) as link:
            while (body := link.channel().basic_get("snapbus.dead")[2]) is not None:
                found.append(body)
        return found


def having(feature: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test only on the brokers that promise this."""
    names = [name for name, features in FEATURES.items() if features[feature]]
    return pytest.mark.parametrize("transport", names, indirect=True)


@pytest.fixture(params=list(FEATURES))
def transport(request: pytest.FixtureRequest) -> Iterator[Transport]:
    with contextlib.ExitStack() as closing:
        if request.param == "local":
            yield LocalTransport(closing)
        else:
            yield RabbitTransport(closing, request.getfixturevalue("amqp_url"))


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


@pytest.mark.promise("fault P1")
def test_each_publish_is_confirmed_exactly_once(transport: Transport) -> None:
    party = transport.party({"detector": (["snapshot.taken"], 50)}).open()

    for number in range(1000):
        party.publish(str(number))
        party.acknowledge()
        party.deliveries.clear()
        if number % 100 == 0:
            party.broker.poll(0)
    party.until(party.all_told)
    party.turn(0.1)

    assert party.all_told()
    assert not party.refused


def test_messages_of_one_publisher_keep_their_order(transport: Transport) -> None:
    party = transport.party({"detector": (["snapshot.taken"], 1000)}).open()

    for number in range(500):
        party.publish(str(number))
    party.until(lambda: len(party.deliveries) == 500)

    assert party.bodies("detector") == [str(number) for number in range(500)]


def test_what_is_unsettled_comes_again_after_a_close(transport: Transport) -> None:
    first = transport.party(DETECTOR).open()
    first.publish("1")
    first.publish("2")
    first.until(lambda: len(first.deliveries) == 2)
    assert not first.deliveries[0].redelivered

    first.acknowledge(first.deliveries[:1])
    first.broker.close()
    second = transport.again(first).open()
    second.until(lambda: second.deliveries)
    second.turn()

    assert second.bodies("detector") == ["2"]
    assert second.deliveries[0].redelivered
    assert second.deliveries[0].tag not in {each.tag for each in first.deliveries} or (
        second.broker is not first.broker
    )


def test_settling_twice_or_what_came_before_a_close_does_nothing(transport: Transport) -> None:
    party = transport.party(DETECTOR).open()
    party.publish("1")
    party.until(lambda: party.deliveries)
    old = party.deliveries[0]
    party.acknowledge()
    party.acknowledge()
    party.acknowledge(accepted=False)
    party.publish("2")
    party.until(lambda: len(party.deliveries) == 2)
    party.broker.close()
    party.acknowledge()
    again = transport.again(party).open()
    again.broker.acknowledge(old, accepted=False)
    again.until(lambda: again.deliveries)

    assert again.bodies("detector") == ["2"]
    assert transport.dead_letters() == []


@pytest.mark.promise("fault D4")
def test_what_is_not_accepted_is_among_the_dead_letters(transport: Transport) -> None:
    party = transport.party(DETECTOR).open()
    party.publish("good")
    party.publish("bad")
    party.until(lambda: len(party.deliveries) == 2)

    party.acknowledge(party.deliveries[:1])
    party.acknowledge(party.deliveries[1:], accepted=False)

    party.turn(0.1)
    assert eventually(transport.dead_letters) == [b"bad"]
    party.broker.close()
    again = transport.again(party).open()
    again.turn()
    assert not again.deliveries


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


@pytest.mark.promise("fault P5")
def test_a_directed_message_for_a_queue_that_is_not_there_is_refused(transport: Transport) -> None:
    party = transport.party(DETECTOR).open()

    party.publish("1", queue="nobody")
    party.publish("1")
    party.until(party.all_told)

    assert [event_id for event_id, _ in party.refused] == ["1"]
    assert party.confirmed == ["1"]
    assert "queue" in party.refused[0][1]


def test_an_event_nobody_listens_to_is_confirmed(transport: Transport) -> None:
    party = transport.party(DETECTOR).open()

    party.publish("1", "snapshot.archived.porch")
    party.until(party.all_told)

    assert party.confirmed == ["1"]
    assert not party.deliveries


@pytest.mark.promise("fault P5")
def test_a_full_queue_refuses_and_accepts_again_once_drained(transport: Transport) -> None:
    party = transport.party({"detector": (["snapshot.taken"], 1)}, max_length=5).open()

    for number in range(60):
        party.publish(str(number))
        party.until(party.all_told)
    assert party.refused
    assert len(party.confirmed) < 30
    assert "full" in party.refused[0][1]

    def drained() -> bool:
        party.acknowledge()
        return {each.body.decode() for each in party.deliveries} == set(party.confirmed)

    party.until(drained)

    def accepted() -> bool:
        party.publish("after")
        party.until(party.all_told)
        return "after" in party.confirmed

    party.until(accepted)


def test_bytes_that_are_no_event_pass_through_unchanged(transport: Transport) -> None:
    party = transport.party(DETECTOR).open()
    bodies = [bytes(range(256)), b"\xff\xfe{", b"{" * 20_000]

    for number, body in enumerate(bodies):
        party.publish(str(number), body=body)
    party.until(lambda: len(party.deliveries) == 3)

    assert [each.body for each in party.deliveries] == bodies


def test_closing_tells_the_fate_of_everything_and_may_be_repeated(transport: Transport) -> None:
    party = transport.party(DETECTOR).open()
    for number in range(300):
        party.publish(str(number))

    party.broker.close()
    assert party.all_told()
    party.broker.close()

    party.publish("late")
    party.broker.poll(0)
    assert party.all_told()
    assert party.refused[-1][0] == "late"


def test_closing_what_was_never_opened_does_nothing(transport: Transport) -> None:
    party = transport.party(DETECTOR)

    party.broker.close()
    party.broker.close()


@pytest.mark.promise("fault P2")
def test_publishing_before_the_connection_is_refused(transport: Transport) -> None:
    party = transport.party(DETECTOR)
    party.publish("early")

    party.open()
    party.until(party.all_told)

    assert [event_id for event_id, _ in party.refused] == ["early"]


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
    while not seen and time.monotonic() < began + 10:
        party.broker.poll(5)
    waited = time.monotonic() - began

    assert seen == [b"x"]
    assert waited < 2
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

    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("fault", ["stopped", "killed"])
@having("restartable")
@pytest.mark.promise("fault P2")
@pytest.mark.promise("feat D6")
def test_a_restart_in_the_middle_loses_nothing_that_was_confirmed(
    transport: Transport, fault: str, rabbit: RabbitServer
) -> None:
    party = transport.party({"detector": (["snapshot.taken"], 20)}).open()

    def restart() -> None:
        if fault == "killed":
            rabbit.kill()
            rabbit.start()
        else:
            rabbit.ctl("stop_app")
            rabbit.ctl("start_app")

    disturber = threading.Thread(target=restart, daemon=True)
    number, was_down = 0, False
    deadline = time.monotonic() + 60
    while number < 600 or disturber.is_alive():
        assert time.monotonic() < deadline, party.summary()
        limit = 600 if was_down and party.connected else 400 if was_down else 300
        if number < limit:
            party.publish(str(number))
            number += 1
        if number == 100 and disturber.ident is None:
            disturber.start()
        party.broker.poll(0.005)
        party.acknowledge()
        was_down = was_down or not party.connected
    party.until(party.all_told)
    unknown = {event_id for event_id, _ in party.refused} - set(party.confirmed)
    for event_id in unknown:  # as the reconciler does
        party.publish(event_id)
    party.until(party.all_told)

    def complete() -> bool:
        party.acknowledge()
        return set(party.bodies("detector")) >= set(party.confirmed)

    party.until(complete)
    assert was_down
    assert unknown
    assert set(party.bodies("detector")) == set(map(str, range(600)))


@having("persistent")
@pytest.mark.promise("fault P2")
def test_what_was_confirmed_survives_a_kill_of_the_broker(
    transport: Transport, rabbit: RabbitServer
) -> None:
    first = transport.party(DETECTOR).open()
    first.broker.close()
    publisher = transport.party({}).open()
    for number in range(50):
        publisher.publish(str(number))
    publisher.until(publisher.all_told)
    publisher.broker.close()

    rabbit.kill()
    rabbit.start()
    party = transport.party(DETECTOR).open()

    def complete() -> bool:
        party.acknowledge()
        return set(party.bodies("detector")) >= set(publisher.confirmed)

    party.until(complete)
    assert len(publisher.confirmed) == 50
