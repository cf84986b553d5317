"""The bus thread: work to idle workers only, confirms to the outbox, nothing kept when it ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.bus import thread
from shared.bus.broker import Delivery, Listener, Message
from shared.bus.local import LocalBroker
from shared.bus.relay import Relay
from shared.bus.thread import OUTBOX, Bus
from tests.support.fakes import eventually

QUEUES = {"drive": (["snapshot.analyzed"], 2)}


class Scripted(LocalBroker):
    """A local broker that remembers what it was told, and loses its connection on demand."""

    def __init__(self) -> None:
        super().__init__()
        self.settled: list[tuple[str, bool]] = []
        self.published: list[Message] = []
        self.prefetch = 0
        self.lose = self.refuse = False
        self.party: Listener | None = None

    def consume(self, queue, topics, prefetch) -> None:
        self.prefetch = prefetch
        super().consume(queue, topics, prefetch)

    def open(self, listener: Listener) -> None:
        self.party = listener
        super().open(listener)

    def publish(self, message: Message) -> None:
        self.published.append(message)
        if self.refuse and self.party:
            self.party.on_refused(message.event_id, "queue full")
        else:
            super().publish(message)

    def acknowledge(self, delivery: Delivery, *, accepted: bool) -> None:
        self.settled.append((delivery.tag, accepted))
        super().acknowledge(delivery, accepted=accepted)

    def poll(self, timeout_s: float) -> None:
        if self.lose and self.party:
            self.lose = False
            self.party.on_connection(False, "cut")
        super().poll(timeout_s)


class Rig:
    def __init__(self) -> None:
        self.relay, self.broker = Relay(), Scripted()
        self.bus = Bus(self.broker, self.relay, QUEUES)
        self.outbox = self.relay.end(OUTBOX)
        self.bus.start()
        eventually(lambda: self.bus.connected)

    def publish(self, *ids: str, queue: str = "") -> None:
        for each in ids:
            frames = [each, "snapshot.analyzed.porch", queue, f"body {each}"]
            self.outbox.send(b"publish", *(frame.encode() for frame in frames))

    def confirmed(self, count: int) -> list[str]:
        found: list[bytes] = []
        while len(found) < count:
            frames = self.outbox.receive(5)
            assert frames, f"only {found}"
            found += frames[1:]
        return [each.decode() for each in found]

    def close(self) -> None:
        self.bus.stop()
        self.bus.join(10)
        assert not self.bus.is_alive()
        self.outbox.close()
        self.relay.close()


@pytest.fixture
def rig(hurried: None) -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.close()


def worker(rig: Rig, name: str):
    from shared.bus.relay import End

    return End(rig.relay._context, name)


@pytest.mark.promise("feat D3")
def test_work_goes_to_idle_workers_only_one_at_a_time(rig: Rig):
    rig.publish("a", "b", "c")
    rig.confirmed(3)
    one, two = worker(rig, "one"), worker(rig, "two")
    assert rig.broker.prefetch == 4
    one.send(b"next", b"drive")
    frames = one.receive(5)
    assert frames is not None
    verb, tag, again, sender, body = frames
    assert (verb, again, sender, body) == (b"work", b"0", b"", b"body a")
    assert one.receive(0.1) is None
    two.send(b"next", b"drive")
    assert (two.receive(5) or [])[4] == b"body b"
    one.send(b"done", tag, b"1")
    one.send(b"next", b"drive")
    assert (one.receive(5) or [])[4] == b"body c"
    assert rig.broker.settled == [(tag.decode(), True)]
    one.close()
    two.close()


def test_what_is_for_one_queue_comes_as_a_repetition(rig: Rig):
    rig.publish("a", queue="drive")
    rig.confirmed(1)
    one = worker(rig, "one")
    one.send(b"next", b"drive")
    frames = one.receive(5) or []
    assert frames[2] == b"1"
    one.send(b"done", frames[1], b"0")
    eventually(lambda: rig.broker.dead_letters == [b"body a"])
    one.close()


@pytest.mark.promise("inv I5", "fault P5")
def test_only_what_the_broker_confirmed_is_told_to_the_outbox(rig: Rig):
    rig.publish("a")
    assert rig.confirmed(1) == ["a"]
    rig.broker.refuse = True
    rig.publish("b")
    eventually(lambda: rig.bus.refused == 1)
    rig.broker.refuse = False
    rig.publish("c")
    assert rig.confirmed(1) == ["c"]
    rig.publish("b")
    assert rig.confirmed(1) == ["b"]


def test_confirms_are_gathered_for_one_mark(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(thread, "GATHER_S", 0.3)
    rig.publish("a")
    assert rig.confirmed(1) == ["a"]
    rig.publish("b")
    eventually(lambda: len(rig.bus._confirmed) == 1)
    rig.publish("c", "d")
    assert rig.outbox.receive(5) == [b"confirmed", b"b", b"c", b"d"]


def test_after_a_lost_connection_old_deliveries_are_forgotten(rig: Rig):
    rig.publish("a", "b")
    rig.confirmed(2)
    one = worker(rig, "one")
    one.send(b"next", b"drive")
    frames = one.receive(5) or []
    rig.broker.lose = True
    eventually(lambda: not rig.bus.connected)
    one.send(b"done", frames[1], b"1")
    one.send(b"next", b"drive")
    assert one.receive(0.2) is None
    assert rig.broker.settled == []
    one.close()


def test_a_stopping_bus_hears_what_was_said_before():
    rig = Rig()
    one = worker(rig, "one")
    rig.publish("a")
    one.send(b"next", b"drive")
    frames = one.receive(5) or []
    one.send(b"done", frames[1], b"1")
    rig.publish(*map(str, range(200)))
    rig.bus.stop()
    rig.bus.join(10)
    assert rig.broker.settled == [(frames[1].decode(), True)]
    assert rig.confirmed(201) == ["a", *map(str, range(200))]
    one.close()
    rig.close()
