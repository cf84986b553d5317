"""The bus misses no wake-up: ZeroMQ's descriptor tells of news once, and sending uses that up."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from shared.bus.local import LocalBroker
from shared.bus.relay import End, Hub, Relay
from shared.bus.thread import OUTBOX, POLL_S, Bus


class BusyHub(Hub):
    """Lets another thread's message arrive at the worst moment: just before the bus sends one."""

    other: End

    def send(self, receiver: bytes, frames: Sequence[bytes]) -> None:
        if frames[1] == b"first":
            self.other.send(b"publish", b"second", b"snapshot.taken", b"", b"{}")
        super().send(receiver, frames)


class BusyRelay(Relay):
    def hub(self) -> Hub:
        hub = BusyHub(self._context)
        hub.other = End(self._context, "other")
        self.closing = hub.other
        return hub


@pytest.fixture
def relay() -> Iterator[BusyRelay]:
    with closing(BusyRelay()) as relay:
        yield relay


def test_a_message_that_arrives_while_the_bus_sends_is_seen_at_once(
    relay: BusyRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.bus.thread.GATHER_S", 0.0)
    bus = Bus(LocalBroker(), relay, {})
    bus.start()
    outbox = relay.end(OUTBOX)
    try:
        outbox.send(b"publish", b"first", b"snapshot.taken", b"", b"{}")
        assert outbox.receive(30) == [b"confirmed", b"first"]
        began = time.monotonic()
        assert outbox.receive(30) == [b"confirmed", b"second"]
        assert time.monotonic() - began < POLL_S / 2
    finally:
        bus.stop()
        bus.join(10)
        outbox.close()
