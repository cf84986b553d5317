"""RabbitMQ refuses, freezes, or takes our work for dead: publishers are told, work goes on."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from shared.amqp.parameters import parameters
from shared.bus.rabbit import broker as broker_rabbit
from shared.bus.rabbit.broker import RabbitBroker
from shared.bus.relay import Relay
from shared.bus.thread import Bus
from tests.support.fakes import eventually
from tests.support.listeners import Make, Party
from tests.support.proxy import Proxy
from tests.support.rabbit import RabbitServer

HEARTBEAT_S = 1

Beating = Callable[[str], None]


@pytest.fixture
def link(rabbit: RabbitServer) -> Iterator[Proxy]:
    with contextlib.closing(Proxy(rabbit.port)) as proxy:
        yield proxy


@pytest.fixture
def beating(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats every second in place of thirty, so that a test need not wait."""

    def quick(*arguments: object) -> object:
        made = parameters(*arguments)  # type: ignore[arg-type]
        made.heartbeat = HEARTBEAT_S
        return made

    monkeypatch.setattr(broker_rabbit, "parameters", quick)


@contextlib.contextmanager
def environment(rabbit: RabbitServer, **values: int) -> Iterator[None]:
    """RabbitMQ with other settings, for the connections that are made from now on."""

    def put(name: str, value: str) -> None:
        rabbit.eval(f"application:set_env(rabbit, {name}, {value})")

    before = {}
    for name, value in values.items():
        before[name] = rabbit.eval(f"application:get_env(rabbit, {name}, 60000)")
        put(name, str(value))
    try:
        yield
    finally:
        for name, old in before.items():
            put(name, old)


@pytest.mark.promise("fault P5", "inv I5")
def test_a_message_that_is_too_large_is_refused_and_others_go_on(
    rabbit: RabbitServer, make: Make
) -> None:
    with environment(rabbit, max_message_size=20_000):
        party = make().open()

    party.publish("large", body=b"x" * 30_000)
    party.until(party.all_told)
    ((event_id, reason),) = party.refused
    assert event_id == "large"
    assert "message size" in reason

    def accepted() -> bool:
        if party.all_told():
            party.publish("after")
        return "after" in party.confirmed

    party.until(accepted)
    assert "large" not in party.confirmed


@pytest.mark.promise("fault P5", "inv I5")
def test_without_permission_nothing_is_confirmed_until_it_is_given_again(
    rabbit: RabbitServer, make: Make, amqp_url: str
) -> None:
    party = make().open()
    rights = f"/api/permissions{urlsplit(amqp_url).path}/{rabbit.user}"
    rabbit.api("PUT", rights, {"configure": ".*", "write": "^$", "read": ".*"})

    def refused() -> bool:  # RabbitMQ remembers for a moment what was allowed
        if party.all_told():
            party.publish("early")
        return bool(party.refused)

    party.until(refused)
    party.until(party.all_told)
    assert "ACCESS_REFUSED" in party.refused[-1][1]
    party.publish("without")
    party.until(party.all_told)
    assert party.refused[-1][0] == "without"

    rabbit.api("PUT", rights, {"configure": ".*", "write": ".*", "read": ".*"})
    party.until(lambda: party.connections[-1] == (True, "connected to RabbitMQ"))
    party.publish("with")
    party.until(lambda: "with" in party.confirmed)
    assert "without" not in party.confirmed


@pytest.mark.promise("fault P2", "fault P4")
def test_a_peer_that_falls_silent_is_given_up_and_connected_again(
    make: Make, amqp_url: str, link: Proxy, beating: None
) -> None:
    """Ten seconds: pika looks at its heartbeats only every so often."""
    port = urlsplit(amqp_url).port
    party = make(amqp_url.replace(f":{port}/", f":{link.port}/")).open()
    link.freeze()
    party.publish("lost")

    party.until(lambda: not party.connected, timeout=30)
    party.until(party.all_told)
    assert [event_id for event_id, _ in party.refused] == ["lost"]
    assert "eartbeat" in party.refused[0][1]
    link.heal()

    party.until(lambda: party.connected)
    party.publish("after")
    party.until(lambda: "after" in party.confirmed)


@pytest.mark.promise("fault P4")
def test_the_kernel_gives_up_after_ten_seconds_without_an_acknowledgement(make: Make) -> None:
    broker = make().open().broker
    assert isinstance(broker, RabbitBroker)

    for each in (broker._publisher, broker._consumer):
        used: socket.socket = each._connection._transport._sock
        assert used.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000


class Slow:
    """A bus thread, and this thread as its only worker."""

    def __init__(self, url: str) -> None:
        self.relay = Relay()
        self.bus = Bus(RabbitBroker(url), self.relay, {"detector": (["snapshot.taken"], 1)})
        self.bus.start()
        self.end = self.relay.end("worker")
        eventually(lambda: self.bus.connected)

    def next(self) -> tuple[bytes, bool, bytes]:
        """Tag, whether it comes again, and body of the next event."""
        self.end.send(b"next", b"detector")
        frames = self.end.receive(20)
        assert frames is not None
        return frames[1], frames[2] == b"1", frames[4]

    def close(self) -> None:
        self.bus.stop()
        self.bus.join(10)
        self.end.close()
        self.relay.close()


@pytest.fixture
def slow(amqp_url: str) -> Iterator[Slow]:
    with contextlib.closing(Slow(amqp_url)) as slow:
        yield slow


@pytest.mark.promise("fault D2")
def test_work_that_takes_longer_than_heartbeats_keeps_its_connection(
    beating: None, slow: Slow
) -> None:
    """Four seconds of work, while RabbitMQ would end a silent connection after two."""
    for body in (b"long", b"next"):
        slow.end.send(b"publish", body, b"snapshot.taken", b"", body)
    tag, _, body = slow.next()
    until = time.monotonic() + 4 * HEARTBEAT_S
    while time.monotonic() < until:  # nothing can be polled: that nothing happens is the point
        assert slow.bus.connected
        time.sleep(0.05)
    slow.end.send(b"done", tag, b"1")

    tag, again, following = slow.next()
    slow.end.send(b"done", tag, b"1")

    assert (body, following, again) == (b"long", b"next", False)
    assert slow.bus.connected


@pytest.mark.promise("fault D9")
def test_a_channel_closed_for_slow_work_comes_back_with_the_event(
    rabbit: RabbitServer, amqp_url: str
) -> None:
    with environment(rabbit, consumer_timeout=1000, channel_tick_interval=300):
        slow = Slow(amqp_url)
        with contextlib.closing(slow):
            slow.end.send(b"publish", b"1", b"snapshot.taken", b"", b"slow")
            old, again, _ = slow.next()
            assert not again
            eventually(lambda: not slow.bus.connected, timeout=20)
            assert "timed out" in slow.bus.detail
            slow.end.send(b"done", old, b"1")  # too late: that channel is gone

            tag, again, body = slow.next()
            slow.end.send(b"done", tag, b"1")
            assert (again, body) == (True, b"slow")
    assert not slow.bus.is_alive()
    party = Party(RabbitBroker(amqp_url))
    party.broker.consume("detector", ["snapshot.taken"], 10)
    with contextlib.closing(party.open().broker):
        party.turn()
        assert party.deliveries == []
