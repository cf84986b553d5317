"""The broker on RabbitMQ: a connection for publishing, one for consuming, turned by ``poll``.

They are two because RabbitMQ stops reading from a connection that publishes while it is short of
memory or disk; results of handlers must be acknowledged even then. Publishing waits until the
queues of this process are declared: else, after the broker's disk was wiped, events would be
confirmed that reach nobody.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from operator import methodcaller

from shared.amqp.link import Incoming, Link
from shared.amqp.loop import Loop
from shared.amqp.parameters import parameters
from shared.bus.accounts import NOBODY, SERVICES
from shared.bus.broker import Delivery, Listener, Message
from shared.bus.rabbit.confirms import Confirms, Sent
from shared.bus.rabbit.topology import EXCHANGE, MAX_LENGTH, Consumed, again, incoming, outgoing
from shared.envelope import CONTENT_TYPE, with_trace

WINDOW, BACKLOG = 200, 10_000


class RabbitBroker:
    """Implements the Broker protocol. One that was closed can't be opened again."""

    def __init__(
        self,
        url: str,
        exchange: str = EXCHANGE,
        max_length: int = MAX_LENGTH,
        *,
        name: str = "snapbus",
        blocked_timeout_s: float = 15.0,
        confirm_timeout_s: float = 30.0,
        close_grace_s: float = 2.0,
    ) -> None:
        """``url`` is amqp[s]://user:password@host/vhost; raises ConfigError. ``name`` is shown by
        RabbitMQ's own tools. ``blocked_timeout_s`` is how long a publish waits for a RabbitMQ
        without memory or disk, ``confirm_timeout_s`` for one that just says nothing."""
        self._exchange, self._max_length = exchange, max_length
        self._confirm_timeout_s, self._close_grace_s = confirm_timeout_s, close_grace_s
        self._listener: Listener | None = None
        self._news: deque[Callable[[Listener], None]] = deque()
        self._consumed: list[Consumed] = []
        self._unsettled: dict[str, int] = {}
        self._connections = 0
        self._confirms = Confirms(WINDOW, BACKLOG)
        self._state = (False, "not connected yet")
        self._closing = False
        outward = parameters(url, f"{name} publishes", blocked_timeout_s)
        inward = parameters(url, f"{name} consumes", blocked_timeout_s)
        self._loop = Loop()
        self._watched: list[int] = []
        self._publisher = Link(self._loop, outward, self._set_up_publisher, self._lost_publisher)
        self._consumer = Link(self._loop, inward, self._set_up_consumer, self._lost_consumer)
        self._links = [self._publisher]
        # The account of one service may declare nothing: RabbitMQ read our definitions.
        self._own_account = self._publisher.user in SERVICES
        self._ready: set[Link] = set()

    def consume(self, queue: str, topics: Sequence[str], prefetch: int) -> None:
        """Declare a queue and consume it, now and after every reconnect."""
        self._consumed.append(Consumed(queue, tuple(topics), prefetch))
        self._links = [self._publisher, self._consumer]

    def open(self, listener: Listener) -> None:
        """Begin to connect, and reconnect for ever until ``close``."""
        self._listener = listener
        for link in self._links:
            link.connect()

    def watch(self, descriptor: int, on_readable: Callable[[], None]) -> None:
        """Also wake ``poll`` when this file descriptor is readable."""
        self._watched.append(descriptor)
        self._loop.add_handler(descriptor, lambda *_: on_readable(), Loop.READ)

    def publish(self, message: Message) -> None:
        """Send it when fewer than 200 are under way, else queue it; its fate follows."""
        if self._closing or len(self._ready) < len(self._links):
            self._refuse(message, "closing" if self._closing else self._state[1])
        elif self._confirms.offer(message):
            self._pump()
        else:
            self._refuse(message, f"{BACKLOG} messages wait for RabbitMQ already")

    def acknowledge(self, delivery: Delivery, *, accepted: bool) -> None:
        """Acknowledge a delivery, or have it put among the dead letters."""
        tag = self._unsettled.pop(delivery.tag, None)
        if tag is not None and self._consumer.usable:
            self._consumer.acknowledge(tag, accepted=accepted)

    def poll(self, timeout_s: float) -> None:
        """Turn the loop once, then tell the listener what came of it."""
        if not self._closing:
            self._loop.step(0 if self._news else timeout_s)
        late = self._confirms.expired(time.monotonic() - self._confirm_timeout_s)
        for sent in late:
            self._refuse(sent.message, f"no confirm in {self._confirm_timeout_s:g} s")
        if late:
            self._pump()
        self._tell()

    def _tell(self) -> None:
        if self._listener is not None:
            for _ in range(len(self._news)):
                self._news.popleft()(self._listener)

    def close(self) -> None:
        """Wait a moment for the confirms that are due, disconnect, refuse what is still open."""
        if self._closing:
            return
        for descriptor in self._watched:
            self._loop.remove_handler(descriptor)
        self._turn_until(lambda: not (self._confirms and self._state[0]))
        self._closing = True
        for link in self._links:
            link.close()
        if not self._turn_until(self._links_closed):
            for link in self._links:
                link.abort()
            self._turn_until(self._links_closed)
        self._refuse_all("closing")
        self._tell()
        self._loop.close()

    def _links_closed(self) -> bool:
        return all(link.closed for link in self._links)

    def _turn_until(self, done: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + self._close_grace_s
        while not done() and time.monotonic() < deadline:
            self._loop.step(0.05)
            self._tell()
        return done()

    # Publishing

    def _set_up_publisher(self) -> None:
        if not self._own_account:
            self._publisher.declare(outgoing(self._exchange))
        self._publisher.confirm(
            self._answered, self._returned, partial(self._is_ready, self._publisher)
        )

    def _lost_publisher(self, reason: str) -> None:
        self._is_lost(self._publisher, reason)
        self._refuse_all(reason)

    def _pump(self) -> None:
        while self._publisher.usable and (message := self._confirms.next(time.monotonic())):
            # What is for one queue must not be seen again by the others.
            exchange = again(self._exchange) if message.queue else self._exchange
            key = message.queue or message.routing_key
            what = message.event_id, message.body, CONTENT_TYPE, message.headers
            self._publisher.publish(exchange, key, *what)

    def _returned(self, event_id: str, exchange: str, key: str, reason: str) -> None:
        queue = key if exchange == again(self._exchange) else ""
        self._confirms.returned(event_id, queue, reason)

    def _answered(self, tag: int, multiple: bool, taken: bool) -> None:
        for sent in self._confirms.answered(tag, multiple=multiple):
            self._tell_fate(sent, taken)
        self._pump()

    def _tell_fate(self, sent: Sent, taken: bool) -> None:
        if sent.returned:
            self._refuse(sent.message, f"it reached no queue: {sent.returned}")
        elif taken:
            self._news.append(methodcaller("on_confirmed", sent.message.event_id))
        else:
            self._refuse(sent.message, "a queue is full, or RabbitMQ could not store it")

    def _refuse_all(self, reason: str) -> None:
        for message in self._confirms.drain():
            self._refuse(message, reason)

    def _refuse(self, message: Message, reason: str) -> None:
        self._news.append(methodcaller("on_refused", message.event_id, reason))

    # Consuming

    def _set_up_consumer(self) -> None:
        self._connections += 1
        if not self._own_account:
            self._consumer.declare(incoming(self._exchange, self._consumed, self._max_length))
        last = self._consumed[-1]
        for each in self._consumed:
            ready = partial(self._is_ready, self._consumer) if each is last else None
            self._consumer.consume(each.queue, each.prefetch, self._delivered, ready)

    def _lost_consumer(self, reason: str) -> None:
        self._unsettled.clear()
        self._is_lost(self._consumer, reason)

    def _delivered(self, queue: str, message: Incoming) -> None:
        # What is for one queue was delivered before: by a process that may have died of it.
        repeated = message.redelivered or message.exchange in ("", again(self._exchange))
        tag = f"{self._connections}.{message.tag}"
        body = with_trace(message.body, message.headers)
        delivery = Delivery(queue, tag, body, repeated, self._sender(message))
        self._unsettled[tag] = message.tag
        self._news.append(partial(self._hand_out, delivery))

    def _sender(self, message: Incoming) -> str:
        if not self._own_account or message.user == self._publisher.user:
            return ""
        return message.user or NOBODY

    def _hand_out(self, delivery: Delivery, listener: Listener) -> None:
        # One whose connection was lost meanwhile comes again.
        if not self._closing and delivery.tag in self._unsettled:
            listener.on_delivery(delivery)

    # Connected is said when all works, and taken back only when deliveries are lost: what comes
    # in an alarm, which stops nothing but publishing, must still be settled.

    def _is_ready(self, link: Link) -> None:
        self._ready.add(link)
        if len(self._ready) == len(self._links):
            self._set_state(True, "connected to RabbitMQ")

    def _is_lost(self, link: Link, reason: str) -> None:
        self._ready.discard(link)
        if self._state[0] and link is not self._links[-1]:
            self._set_state(True, f"publishing is refused: {reason}")
        else:
            self._set_state(False, reason)

    def _set_state(self, connected: bool, detail: str) -> None:
        if self._state != (connected, detail) and not self._closing:
            self._state = (connected, detail)
            self._news.append(methodcaller("on_connection", connected, detail))
