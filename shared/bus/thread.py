"""The thread that owns the broker. Everything else in the process talks to it through the relay.

A worker says "this one is done; next, please", so work goes to idle workers only, and what they
can't take stays with the broker. Frames, first the verb:

    to the bus      publish <event id> <routing key> <queue or empty> <body> [<trace> <baggage>]
                    next <queue>                      this worker is idle
                    done <tag> <1, or 0: dead letter>
    from the bus    work <tag> <1: redelivered, or 0> <sender> <body>
                    confirmed <event id> …            to the end named "outbox"
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

from shared.bus.broker import Broker, Delivery, Message
from shared.bus.relay import Hub, Relay, orders
from shared.failpoint import reach

log = logging.getLogger(__name__)

OUTBOX = "outbox"
TRACE = ("traceparent", "baggage")
"""What of a message also stands in its headers."""
POLL_S = 5.0
"""At least so often it shows that it does not hang."""
GATHER_S = 0.5
"""How long confirms are gathered before the outbox is told: one commit marks them all."""
LAST_WORDS_S = 2.0
"""How long a stopping bus waits for confirms; what is unconfirmed then is published again."""


class Bus(threading.Thread):
    """Runs until ``stop``. ``consumes`` gives for each queue its topics and number of workers."""

    def __init__(
        self, broker: Broker, relay: Relay, consumes: Mapping[str, tuple[Sequence[str], int]]
    ) -> None:
        super().__init__(name="bus", daemon=True)
        self._broker = broker
        self._relay = relay
        self._consumes = consumes
        self._stopping = threading.Event()
        self._wake, self._alarm = socket.socketpair()
        self._alarm.setblocking(False)
        self._idle: dict[str, deque[bytes]] = defaultdict(deque)
        self._waiting: dict[str, deque[Delivery]] = defaultdict(deque)
        self._handed_out: dict[str, Delivery] = {}
        self._unconfirmed = 0
        self._confirmed: list[bytes] = []
        self._told_at = 0.0
        self.connected = False
        self.detail = "not connected yet"
        self.ticked_at = time.monotonic()
        self.refused = 0

    def run(self) -> None:
        hub = self._hub = self._relay.hub()
        for queue, (topics, workers) in self._consumes.items():
            # Twice as many as can be worked on: the next one is there when a worker is idle.
            self._broker.consume(queue, topics, prefetch=2 * workers)
        self._broker.watch(hub.descriptor, lambda: None)
        self._broker.watch(self._wake.fileno(), lambda: None)
        self._broker.open(self)
        while not self._stopping.is_set():
            self._round(hub, POLL_S)
        deadline = time.monotonic() + LAST_WORDS_S
        while self._unconfirmed and self.connected and time.monotonic() < deadline:
            self._round(hub, 0.05)
        self._round(hub, 0.0)
        self._broker.close()
        self._tell_outbox(hub)
        hub.close()
        self._wake.close()
        self._alarm.close()

    def stop(self) -> None:
        """Settle what was said so far, wait a moment for confirms, disconnect. Any thread."""
        self._stopping.set()
        with suppress(OSError):  # it has stopped already, or was told before
            self._alarm.send(b"!")

    def _round(self, hub: Hub, timeout_s: float) -> None:
        # The hub's descriptor tells of news only once, and sending uses that up as well: so it is
        # emptied before every wait, and nothing is sent between.
        if self._confirmed:
            gathers_s = self._told_at + GATHER_S - time.monotonic()
            if gathers_s <= 0:
                self._tell_outbox(hub)
            else:
                timeout_s = min(timeout_s, gathers_s)
        while (message := hub.receive()) is not None:
            sender, frames = message
            for order in orders(frames):
                self._obey(sender, order)
        self._broker.poll(timeout_s)
        self.ticked_at = time.monotonic()

    def _obey(self, sender: bytes, frames: Sequence[bytes]) -> None:
        match frames:
            case [b"publish", event_id, routing_key, queue, body, *trace]:
                self._unconfirmed += 1
                reach("bus.before_publish")
                given = zip(TRACE, map(bytes.decode, trace), strict=False)
                headers = {name: value for name, value in given if value}
                key, to = routing_key.decode(), queue.decode()
                self._broker.publish(Message(event_id.decode(), key, body, to, headers))
                reach("bus.published")
            case [b"next", queue]:
                self._idle[queue.decode()].append(sender)
                self._hand_out(queue.decode())
            case [b"done", tag, accepted]:
                delivery = self._handed_out.pop(tag.decode(), None)
                if delivery:
                    reach("bus.before_settle")
                    self._broker.acknowledge(delivery, accepted=accepted == b"1")
                    reach("bus.settled")
            case _:
                raise AssertionError(f"unknown message on the relay: {frames[:1]}")

    def _hand_out(self, queue: str) -> None:
        waiting, idle = self._waiting[queue], self._idle[queue]
        while waiting and idle:
            delivery = waiting.popleft()
            self._handed_out[delivery.tag] = delivery
            again = b"1" if delivery.redelivered else b"0"
            tag, sender = delivery.tag.encode(), delivery.sender.encode()
            self._hub.send(idle.popleft(), [b"work", tag, again, sender, delivery.body])

    def _tell_outbox(self, hub: Hub) -> None:
        if self._confirmed:
            hub.send(OUTBOX.encode(), [b"confirmed", *self._confirmed])
            self._confirmed, self._told_at = [], time.monotonic()

    def on_delivery(self, delivery: Delivery) -> None:
        reach("bus.delivered")
        self._waiting[delivery.queue].append(delivery)
        self._hand_out(delivery.queue)

    def on_confirmed(self, event_id: str) -> None:
        reach("bus.confirmed")
        self._unconfirmed -= 1
        self._confirmed.append(event_id.encode())

    def on_refused(self, event_id: str, reason: str) -> None:
        # Nothing to do: the event is in the journal, and the reconciler publishes it later.
        self._unconfirmed -= 1
        self.refused += 1
        log.debug("event %s was not published: %s", event_id, reason)

    def on_connection(self, connected: bool, detail: str) -> None:
        self.connected, self.detail = connected, detail
        if not connected:
            # The broker will deliver these again; what workers hold is settled in the journal.
            self._waiting.clear()
            self._handed_out.clear()
