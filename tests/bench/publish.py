"""Publishing with confirms: our window of 200 beside pika one by one, on the same kind of queue.

It starts a RabbitMQ of its own.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import pika

from shared.bus.broker import Message
from shared.bus.rabbit.broker import RabbitBroker
from tests.bench.results import Row
from tests.support.listeners import Party
from tests.support.rabbit import RabbitServer

TARGET, GATE = 5.0, 3.0
"""Times the baseline: what a quiet machine reaches, and what a noisy one must."""

BODY = b"x" * 1024
KEY = "bench.taken.porch"


@dataclass(frozen=True, slots=True)
class Publishing:
    """The rounds' ratios, and the medians behind them."""

    ratios: Sequence[float]
    one_by_one: float
    pipelined: float
    confirm_ms: float
    hop_ms: float
    hop_p99_ms: float

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)


def measure(url: str, rounds: int = 5, slow: int = 500, fast: int = 5000) -> Publishing:
    """Take turns, so that what else the machine does hits both."""
    broker = RabbitBroker(url, name="bench")
    broker.consume("bench", ["bench.taken"], 200)
    party = Party(broker)
    with closing(broker), closing(pika.BlockingConnection(pika.URLParameters(url))) as link:
        party.open()
        channel = link.channel()
        channel.confirm_delivery()
        baseline, ours, ratios = [], [], []
        for number in range(rounds):
            baseline.append(_one_by_one(channel, slow))
            _drain(party)
            ours.append(_pipelined(party, number, fast))
            _drain(party)
            ratios.append(ours[-1] / baseline[-1])
        confirms, hops = _latency(party, 300)
    hops.sort()
    return Publishing(
        ratios,
        statistics.median(baseline),
        statistics.median(ours),
        statistics.median(confirms) * 1000,
        statistics.median(hops) * 1000,
        hops[int(len(hops) * 0.99)] * 1000,
    )


def _one_by_one(channel: pika.adapters.blocking_connection.BlockingChannel, count: int) -> float:
    properties = pika.BasicProperties(delivery_mode=2)
    began = time.perf_counter()
    for _ in range(count):
        channel.basic_publish("snapbus", KEY, BODY, properties, mandatory=True)
    return count / (time.perf_counter() - began)


def _pipelined(party: Party, number: int, count: int) -> float:
    before = len(party.confirmed)
    began = time.perf_counter()
    for each in range(count):
        party.broker.publish(Message(f"{number}-{each}", KEY, BODY))
    while len(party.confirmed) < before + count:
        party.broker.poll(1)
    rate = count / (time.perf_counter() - began)
    assert not party.refused, party.refused[:3]
    return rate


def _latency(party: Party, count: int) -> tuple[list[float], list[float]]:
    confirms, hops = [], []
    for number in range(count):
        seen = len(party.confirmed)
        began = time.perf_counter()
        party.broker.publish(Message(f"hop-{number}", KEY, BODY))
        confirmed = delivered = 0.0
        while not (confirmed and delivered):
            party.broker.poll(1)
            now = time.perf_counter()
            if not confirmed and len(party.confirmed) > seen:
                confirmed = now - began
            if not delivered and party.deliveries:
                delivered = now - began
        confirms.append(confirmed)
        hops.append(max(confirmed, delivered))
        party.acknowledge()
        party.deliveries.clear()
    return confirms, hops


def _drain(party: Party) -> None:
    """Settle all that is on its way, so that no round pays for the one before."""
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < 0.3:
        party.broker.poll(0.05)
        if party.deliveries:
            party.acknowledge()
            party.deliveries.clear()
            quiet_since = time.monotonic()


def run() -> Iterator[Row]:
    """Row 11."""
    with closing(RabbitServer()) as server:
        server.start()
        found = measure(server.url(server.add_vhost()))
    detail = (
        f"{found.pipelined:.0f} and {found.one_by_one:.0f} /s; a single one confirmed after "
        f"{found.confirm_ms:.2f} ms, delivered after {found.hop_ms:.2f} ms"
    )
    yield Row(
        11, "publish with confirms beside one by one", found.ratio, TARGET, GATE, detail=detail
    )
