"""Each kind of broker, and how a test gets parties that use the same one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Protocol

import pika
import pytest

from shared.bus.broker import Broker
from shared.bus.local import LocalBroker
from shared.bus.rabbit.broker import RabbitBroker
from tests.support.listeners import Party

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
    """A party that gets what is in these queues."""
    for name, (topics, prefetch) in queues.items():
        broker.consume(name, topics, prefetch)
    return Party(broker)


class LocalTransport:
    """In this process."""

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
    """A virtual host of RabbitMQ."""

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
