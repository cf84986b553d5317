"""A listener that writes down what a broker tells, and a party that turns its broker until then."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

from shared.bus.broker import Broker, Delivery, Message


class Recorder:
    """Remembers every call, in order."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.confirmed: list[str] = []
        self.refused: list[tuple[str, str]] = []
        self.connections: list[tuple[bool, str]] = []

    def on_delivery(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)

    def on_confirmed(self, event_id: str) -> None:
        self.confirmed.append(event_id)

    def on_refused(self, event_id: str, reason: str) -> None:
        self.refused.append((event_id, reason))

    def on_connection(self, connected: bool, detail: str) -> None:
        self.connections.append((connected, detail))


class Party(Recorder):
    """One user of a broker: publishes, polls, and settles what it got."""

    def __init__(self, broker: Broker) -> None:
        super().__init__()
        self.broker = broker
        self.published: Counter[str] = Counter()

    def open(self) -> Party:
        """Open the broker and wait until it is connected."""
        self.broker.open(self)
        self.until(lambda: self.connected)
        return self

    @property
    def connected(self) -> bool:
        return bool(self.connections) and self.connections[-1][0]

    def publish(
        self, event_id: str, topic: str = "snapshot.taken", body: bytes = b"", queue: str = ""
    ) -> None:
        """Publish a message whose body is its id when none is given."""
        self.published[event_id] += 1
        self.broker.publish(Message(event_id, topic, body or event_id.encode(), queue))

    def until(self, done: Callable[[], object], timeout: float = 20) -> None:
        """Poll until it is done; fail at the deadline."""
        deadline = time.monotonic() + timeout
        while not done():
            assert time.monotonic() < deadline, f"not in {timeout} s: {self.summary()}"
            self.broker.poll(0.05)

    def turn(self, seconds: float = 0.3) -> None:
        """Poll for a while, to see what comes that should not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.broker.poll(0.05)

    def bodies(self, queue: str) -> list[str]:
        """What came on a queue, in order."""
        return [each.body.decode() for each in self.deliveries if each.queue == queue]

    def acknowledge(self, deliveries: Sequence[Delivery] = (), *, accepted: bool = True) -> None:
        """Settle these deliveries, or all so far."""
        for each in list(deliveries or self.deliveries):
            self.broker.acknowledge(each, accepted=accepted)

    def all_told(self) -> bool:
        """Whether each publish has had exactly one fate."""
        fates = Counter(self.confirmed) + Counter(event_id for event_id, _ in self.refused)
        assert all(fates[each] <= count for each, count in self.published.items()), fates
        return fates == self.published

    def summary(self) -> str:
        """The latest of everything, for a failure's text."""
        return (
            f"{len(self.deliveries)} delivered, {len(self.confirmed)} confirmed of "
            f"{self.published.total()}, refused {self.refused[-3:]}, {self.connections[-3:]}"
        )


Make = Callable[..., Party]
"""The fixture ``make``: makes parties of the test's virtual host on RabbitMQ."""
