"""The exchanges, queues and bindings of Snapbus on RabbitMQ, as data.

    snapbus (topic) ── <topic>.# ──> <service>        one quorum queue per service
       │  ^                             │  ^
       │  │                             │  └─ snapbus.again (topic): for one service, by its name
       │  │                             └─ rejected, or delivered 20 times ─> snapbus.dead
       │  └─ snapbus.requests (topic): what other programs may say
       └─ alternate exchange: nobody listens ─> snapbus.unrouted

Other programs have an exchange of their own, because who may publish to one and make queues can
have RabbitMQ forward to it under any routing key, past what the account may say.

RabbitMQ refuses to declare what exists with other arguments, so a change here needs a note in the
changelog: whoever upgrades must delete the old queues (the journal fills the new ones).
Standard library only, as shared/bus/accounts.py and shared/amqp/declared.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.amqp.declared import Binding, Exchange, Queue, Topology
from shared.bus.accounts import REQUESTED

EXCHANGE = "snapbus"
MAX_LENGTH = 100_000

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


def again(exchange: str) -> str:
    """The exchange for what is delivered anew: to one service, by the name of its queue."""
    return f"{exchange}.again"


def requests(exchange: str) -> str:
    """The exchange to which other programs publish."""
    return f"{exchange}.requests"


def outgoing(exchange: str) -> Topology:
    """What a publisher needs: an event nobody listens to is normal, and kept for a look."""
    unrouted = f"{exchange}.unrouted"
    return Topology(
        exchanges=(
            Exchange(unrouted, "fanout"),
            Exchange(exchange, "topic", {"alternate-exchange": unrouted}),
            Exchange(again(exchange), "topic"),
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
    """What a consumer needs: its queues, where they give up to, and a way in for others."""
    dead = f"{exchange}.dead"
    base = outgoing(exchange)
    return Topology(
        exchanges=(
            *base.exchanges,
            Exchange(requests(exchange), "topic"),
            Exchange(dead, "fanout"),
        ),
        queues=(
            *base.queues,
            Queue(dead, _kept(max_length)),
            *(Queue(each.queue, _served(dead, max_length)) for each in consumed),
        ),
        bindings=(
            *base.bindings,
            Binding(dead, dead),
            Binding(exchange, requests(exchange), f"{REQUESTED}.#", forwards=True),
            *(Binding(each.queue, again(exchange), each.queue) for each in consumed),
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
