"""What a broker does for the bus: carry events to the queues of services, and tell their fate.

Two implementations keep this protocol (RabbitMQ, in-process); tests/contract/test_broker.py holds
both to it. Every method is called on one thread, the bus thread, which calls ``poll`` in a loop;
all callbacks of the listener run inside ``poll`` or ``close``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One event on its way out. ``queue`` names the one queue it is for; empty: all bound ones.
    ``headers`` are for those who know only those of the broker."""

    event_id: str
    routing_key: str
    body: bytes
    queue: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message handed to us; it comes again until settled. ``tag`` is unique per broker.
    ``sender`` is the account that published it, where each service has one of its own; empty: this
    service's, or nobody can tell."""

    queue: str
    tag: str
    body: bytes
    redelivered: bool
    sender: str = ""


class Listener(Protocol):
    """What the broker tells the bus."""

    def on_delivery(self, delivery: Delivery) -> None:
        """A message of a consumed queue; at most ``prefetch`` are unsettled at a time."""

    def on_confirmed(self, event_id: str) -> None:
        """The broker has taken responsibility for this event."""

    def on_refused(self, event_id: str, reason: str) -> None:
        """The event is not on the broker, or nobody knows; it must be published again later."""

    def on_connection(self, connected: bool, detail: str) -> None:
        """The connection came or went; deliveries handed out before a loss come again. The detail
        may change while connected: "publishing is refused: …" leaves deliveries as they are."""


class Broker(Protocol):
    """Carries messages. Nothing here blocks but ``poll``."""

    def consume(self, queue: str, topics: Sequence[str], prefetch: int) -> None:
        """Declare a queue bound to ``<topic>`` and ``<topic>.#`` and consume it, now and after
        every reconnect. Call before ``open``."""

    def open(self, listener: Listener) -> None:
        """Begin to connect, and reconnect for ever until ``close``."""

    def watch(self, descriptor: int, on_readable: Callable[[], None]) -> None:
        """Also wake ``poll`` when this file descriptor is readable. Call before ``open``."""

    def publish(self, message: Message) -> None:
        """Send one message; ``on_confirmed`` or ``on_refused`` follows, exactly once."""

    def acknowledge(self, delivery: Delivery, *, accepted: bool) -> None:
        """Done with a delivery; not ``accepted`` puts it among the dead letters. A delivery of a
        lost connection is ignored."""

    def poll(self, timeout_s: float) -> None:
        """Wait for news at most this long, and call the listener for each."""

    def close(self) -> None:
        """Tell the fate of what was published, waiting a moment for the broker to say it, give
        back what is unsettled and disconnect; calling it again does nothing."""
