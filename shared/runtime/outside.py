"""An outside broker beside the one in the process: events are copied to it, requests taken from it.

It is a service like the others, so that the journal remembers what it still owes: while the outside
broker is away, events wait, and go out once it is back. A thread of its own, the source, owns the
connection.
"""

from __future__ import annotations

import logging
import queue
import socket
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from shared.bus.broker import Broker, Delivery, Message
from shared.bus.open import open_broker
from shared.envelope import decode, encode
from shared.errors import JournalUnavailable, UndecodableMessage, Unreachable
from shared.events import EVENTS, FOREIGN, Event
from shared.service import NOTHING_OLD, Context, Service
from shared.stop import Stop

log = logging.getLogger(__name__)

NAME = "outside"
PEER = "outside broker"
OURS = "/snapbus"
"""How the sources of our own events begin; of theirs, none may."""
KEPT_IN = frozenset({"access.noted"})
"""Who logged in is nothing to the house."""
ANSWER_S = 20.0
PREFETCH = 20
POLL_S = 1.0
RETRY_S = 1.0


def outside(context: Context) -> list[Service]:
    """The service, if ``broker.outside`` names a broker. Raises ConfigError."""
    section = context.settings.broker
    if not (url := section.outside.get_secret_value()):
        return []
    broker = open_broker(section.model_copy(update={"url": section.outside}), NAME)
    house = _House(context, broker, urlsplit(url).hostname or "?")
    copied = {topic: house.copy for topic in EVENTS if topic not in KEPT_IN}
    about, sources = house.about, [house]
    return [Service(NAME, copied, sources, workers=2, history=NOTHING_OLD, about=about)]


class _House:
    """Both directions. ``copy`` is called by workers, all else by the thread of the source."""

    name = NAME

    def __init__(self, context: Context, broker: Broker, host: str) -> None:
        self._context = context
        self._broker = broker
        self._host = host
        self._wake, self._alarm = socket.socketpair()
        self._alarm.setblocking(False)
        self._going: queue.SimpleQueue[tuple[Message, Future[str]]] = queue.SimpleQueue()
        self._asked: dict[str, Future[str]] = {}
        self._came: deque[Delivery] = deque()
        self._retry_at = 0.0
        self._state = (False, "not connected yet")

    def copy(self, event: Event) -> Sequence[Event]:
        """Publish it there, and wait for the confirm. What came from there is not sent back. A
        repeat is harmless: an event may come twice, with the same id. Raises Unreachable."""
        if event.source and not event.source.startswith(OURS):
            return []
        connected, detail = self._state
        if not connected:
            raise Unreachable(PEER, detail)
        fate: Future[str] = Future()
        trace = {"traceparent": event.trace, "baggage": event.baggage}
        headers = {name: value for name, value in trace.items() if value}
        message = Message(event.id, event.routing_key, encode(event), headers=headers)
        self._going.put((message, fate))
        with suppress(OSError):  # it is awake, or ends
            self._alarm.send(b"!")
        try:
            refused = fate.result(ANSWER_S)
        except TimeoutError:
            refused = "it does not answer"
        if refused:
            raise Unreachable(PEER, refused)
        return []

    def about(self) -> Mapping[str, Any]:
        """Whether it is there. That it is away stops nothing here."""
        connected, detail = self._state
        what = (
            f"copies events to {self._host}" if connected else f"waits for {self._host}: {detail}"
        )
        return {"ok": connected, "summary": what}

    def run(self, stop: Stop) -> None:
        """Own the connection until stopped."""
        self._broker.consume(f"{NAME}.requests", sorted(FOREIGN), PREFETCH)
        self._broker.watch(self._wake.fileno(), self._drain)
        self._broker.open(self)
        try:
            while not stop.is_set():
                self._publish()
                self._broker.poll(RETRY_S if self._came else POLL_S)
                self._take()
        finally:
            self._broker.close()
            self._wake.close()
            self._alarm.close()

    def _drain(self) -> None:
        with suppress(OSError):
            self._wake.recv(4096, socket.MSG_DONTWAIT)

    def _publish(self) -> None:
        while True:
            try:
                message, fate = self._going.get_nowait()
            except queue.Empty:
                return
            self._asked[message.event_id] = fate
            self._broker.publish(message)

    def _take(self) -> None:
        while self._came and time.monotonic() >= self._retry_at:
            delivery = self._came[0]
            try:
                accepted = self._record(delivery.body)
            except JournalUnavailable as error:
                log.warning("requests of the house wait: %s", error, extra={"action": "waiting"})
                self._retry_at = time.monotonic() + RETRY_S
                return
            self._came.popleft()
            self._broker.acknowledge(delivery, accepted=accepted)

    def _record(self, body: bytes) -> bool:
        """Commit a request of the house; says whether it is one. Raises JournalUnavailable."""
        try:
            event = decode(body)
            if event.topic not in FOREIGN:
                raise UndecodableMessage(f"{event.topic} may not be said from outside")
            if event.source.startswith(OURS):
                return True  # our own, which came round
            event.parsed(EVENTS[event.topic])
        except (UndecodableMessage, ValidationError) as error:
            log.error("refused a message from outside: %s", error, extra={"action": "dead_letter"})
            return False
        self._context.record([event])
        return True

    # What the broker tells.

    def on_delivery(self, delivery: Delivery) -> None:
        self._came.append(delivery)

    def on_confirmed(self, event_id: str) -> None:
        self._answer(event_id, "")

    def on_refused(self, event_id: str, reason: str) -> None:
        self._answer(event_id, reason)

    def _answer(self, event_id: str, refused: str) -> None:
        if fate := self._asked.pop(event_id, None):
            fate.set_result(refused)

    def on_connection(self, connected: bool, detail: str) -> None:
        if self._state != (connected, detail):
            log.info("outside broker %s: %s", self._host, detail, extra={"action": "outside"})
        self._state = (connected, detail)
        if not connected:
            self._came.clear()
