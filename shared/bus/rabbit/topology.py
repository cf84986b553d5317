"""The exchanges, queues and bindings Snapbus declares on RabbitMQ, as data.

    snapbus (topic) ── <topic>.# ──> <service>        one quorum queue per service
       │                                └─ rejected, or delivered 20 times ─> snapbus.dead
       └─ alternate exchange: nobody listens ─> snapbus.unrouted

RabbitMQ refuses to declare what exists with other arguments, so a change here needs a note in the
changelog: whoever upgrades must delete the old queues (the journal fills the new ones).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

DELIVERY_LIMIT = 20
"""Deliveries without an answer before a message is taken for one that kills its consumer."""

KEPT_DELIVERY_LIMIT = 1_000_000
"""Looking into a queue of kept messages counts as a delivery; that must not empty it."""

UNROUTED_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Consumed:
    """A queue of a service of this process."""

    queue: str
    topics: Sequence[str]
    prefetch: int


@dataclass(frozen=True, slots=True)
class Exchange:
    name: str
    kind: str
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Queue:
    name: str
    arguments: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Binding:
    queue: str
    exchange: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Topology:
    """What must exist; declared in this order."""

    exchanges: Sequence[Exchange]
    queues: Sequence[Queue]
    bindings: Sequence[Binding]


def outgoing(exchange: str) -> Topology:
    """What a publisher needs: an event nobody listens to is normal, and kept for a look."""
    unrouted = f"{exchange}.unrouted"
    return Topology(
        exchanges=(
            Exchange(unrouted, "fanout"),
            Exchange(exchange, "topic", {"alternate-exchange": unrouted}),
        ),
        queues=(
            # Only for a look, so no quorum: the newest stay, and losing them loses nothing.
            Queue(
                unrouted,
                {
                    "x-queue-type": "classic",
                    "x-max-length": UNROUTED_KEPT,
                    "x-overflow": "drop-head",
                },
            ),
        ),
        bindings=(Binding(unrouted, unrouted),),
    )


def incoming(exchange: str, consumed: Sequence[Consumed], max_length: int) -> Topology:
    """What a consumer needs: its queues, and the place for what they give up."""
    dead = f"{exchange}.dead"
    base = outgoing(exchange)
    return Topology(
        exchanges=(*base.exchanges, Exchange(dead, "fanout")),
        queues=(
            *base.queues,
            Queue(dead, _kept(max_length)),
            *(Queue(each.queue, _served(dead, max_length)) for each in consumed),
        ),
        bindings=(
            *base.bindings,
            Binding(dead, dead),
            # '#' stands for no word too, so this is the topic itself and all its subjects.
            *(
                Binding(each.queue, exchange, f"{topic}.#")
                for each in consumed
                for topic in each.topics
            ),
        ),
    )


def _served(dead: str, max_length: int) -> dict[str, str | int]:
    # At least once needs reject-publish; a RabbitMQ that can't do it (3.10 upgraded without its
    # feature flag stream_queue) logs that and falls back to at most once.
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": dead,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-max-length": max_length,
    }


def _kept(max_length: int) -> dict[str, str | int]:
    # The oldest go first: a full queue of dead letters would block the queues it serves, and the
    # journal knows each dead event anyway.
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": KEPT_DELIVERY_LIMIT,
        "x-overflow": "drop-head",
        "x-max-length": max_length,
    }
