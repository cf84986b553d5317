"""The broker inside one process: queues in memory that promise what RabbitMQ's do, without a disk.

What it holds is lost with the process; the reconciler then publishes from the journal again.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from shared.bus.broker import Delivery, Listener, Message

DEAD_LETTERS_KEPT = 1_000


@dataclass(slots=True)
class _Queue:
    name: str
    prefetch: int
    waiting: deque[tuple[bytes, bool]] = field(default_factory=deque)
    unacknowledged: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Fate:
    event_id: str
    refused: str = ""


class LocalBroker:
    """Implements the Broker protocol without a thread, a socket or a file."""

    def __init__(self, max_length: int = 100_000) -> None:
        self._max_length = max_length
        self._queues: dict[str, _Queue] = {}
        self._routes: dict[str, list[_Queue]] = {}
        self._fates: deque[_Fate] = deque()
        self._watched: dict[int, Callable[[], None]] = {}
        self._selector = select.poll()
        self._listener: Listener | None = None
        self._open = False
        self._announced = True
        self._tags = count(1)
        self._dead: deque[bytes] = deque(maxlen=DEAD_LETTERS_KEPT)

    @property
    def dead_letters(self) -> list[bytes]:
        """The bodies of the last deliveries that were settled as not accepted."""
        return list(self._dead)

    def consume(self, queue: str, topics: Sequence[str], prefetch: int) -> None:
        """Make a queue bound to these topics, or bind one that exists to more."""
        bound = self._queues.setdefault(queue, _Queue(queue, prefetch))
        bound.prefetch = prefetch
        for topic in topics:
            if bound not in (route := self._routes.setdefault(topic, [])):
                route.append(bound)

    def open(self, listener: Listener) -> None:
        """Begin to deliver; may follow ``close``, and then delivers what was unsettled again."""
        self._listener = listener
        self._open, self._announced = True, False

    def watch(self, descriptor: int, on_readable: Callable[[], None]) -> None:
        """Also wake ``poll`` when this file descriptor is readable."""
        self._watched[descriptor] = on_readable
        self._selector.register(descriptor, select.POLLIN)

    def publish(self, message: Message) -> None:
        """Put it into all queues it is for, or into none of them when one is full."""
        self._fates.append(_Fate(message.event_id, self._place(message)))

    def _place(self, message: Message) -> str:
        if not self._open:
            return "the broker is not open"
        queues = self._route(message)
        if message.queue and not queues:
            return f"no queue is named {message.queue}"
        for queue in queues:
            if len(queue.waiting) >= self._max_length:
                return f"queue {queue.name} is full ({self._max_length} messages)"
        for queue in queues:
            # What is for one queue was delivered before: by a process that may have died of it.
            queue.waiting.append((message.body, bool(message.queue)))
        return ""

    def _route(self, message: Message) -> Sequence[_Queue]:
        if message.queue:
            queue = self._queues.get(message.queue)
            return (queue,) if queue else ()
        key, found = message.routing_key, {}
        end = key.find(".")
        while end >= 0:
            for queue in self._routes.get(key[:end], ()):
                found[queue.name] = queue
            end = key.find(".", end + 1)
        for queue in self._routes.get(key, ()):
            found[queue.name] = queue
        return list(found.values())

    def acknowledge(self, delivery: Delivery, *, accepted: bool) -> None:
        """Done with a delivery; one settled already, or handed out before ``close``, is ignored."""
        queue = self._queues.get(delivery.queue)
        body = queue.unacknowledged.pop(delivery.tag, None) if queue else None
        if body is not None and not accepted:
            self._dead.append(body)

    def poll(self, timeout_s: float) -> None:
        """Tell fates and deliver; wait for the watched descriptors only when there was nothing."""
        busy = self._tell() | self._deliver()
        wait_ms = 0 if busy else max(0, round(timeout_s * 1000))
        for descriptor, _ in self._selector.poll(wait_ms):
            self._watched[descriptor]()

    def _tell(self) -> bool:
        listener = self._listener
        if listener is None:
            return False
        busy = not self._announced or bool(self._fates)
        if not self._announced:
            self._announced = True
            listener.on_connection(True, "in process")
        for _ in range(len(self._fates)):
            fate = self._fates.popleft()
            if fate.refused:
                listener.on_refused(fate.event_id, fate.refused)
            else:
                listener.on_confirmed(fate.event_id)
        return busy

    def _deliver(self) -> bool:
        busy = False
        for queue in self._queues.values():
            # Counted before, so that a listener that settles and publishes at once ends the round.
            for _ in range(min(len(queue.waiting), queue.prefetch - len(queue.unacknowledged))):
                if not self._open or self._listener is None:
                    return busy
                body, redelivered = queue.waiting.popleft()
                tag = str(next(self._tags))
                queue.unacknowledged[tag] = body
                busy = True
                self._listener.on_delivery(Delivery(queue.name, tag, body, redelivered))
        return busy

    def close(self) -> None:
        """Tell the fates still open and put what is unsettled back, in its order."""
        self._tell()
        self._open = False
        for queue in self._queues.values():
            for body in reversed(queue.unacknowledged.values()):
                queue.waiting.appendleft((body, True))
            queue.unacknowledged.clear()
