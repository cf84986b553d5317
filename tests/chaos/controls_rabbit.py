"""The safeguards against a broker that forgets, taken away one at a time, on a real RabbitMQ."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from shared.amqp.link import Incoming, Link
from shared.bus.rabbit.broker import RabbitBroker
from tests.chaos.controls import Outcome
from tests.support.listeners import Party


def settled_after_the_work(url: str, broken: bool) -> Outcome:
    """A consumer that vanishes with messages in its hands (``auto_ack``)."""

    def careless(link: Any, queue: str, _prefetch: int, delivered: Any, ready: Any) -> None:
        def on_message(_channel: Any, method: Any, _properties: Any, body: bytes) -> None:
            told = Incoming(method.delivery_tag, method.redelivered, method.exchange, "", body)
            delivered(queue, told)

        callback = None if ready is None else lambda _: link._is_ready(ready)
        link._channel.basic_consume(queue, on_message, callback=callback, auto_ack=True)

    sent = {str(number) for number in range(10)}
    with mock.patch.object(Link, "consume", careless) if broken else contextlib.nullcontext():
        with _party(url) as party:
            for each in sent:
                party.publish(each)
            party.until(lambda: len(party.deliveries) == len(sent))
        with _party(url) as again:
            again.turn(1.0)
            return Outcome(len(sent), len(sent - set(again.bodies("detector"))))


def refused_when_nobody_has_it(url: str, broken: bool) -> Outcome:
    """An event for a queue that is gone (``mandatory``)."""

    def optional(link: Any, exchange: str, key: str, _id: str, body: bytes, *_rest: Any) -> None:
        link._channel.basic_publish(exchange, key, body)

    patched = mock.patch.object(Link, "publish", optional)
    with patched if broken else contextlib.nullcontext(), _party(url) as party:
        for number in range(10):
            party.publish(str(number), queue="gone")
        party.until(party.all_told)
        return Outcome(10, len(party.confirmed))


@contextlib.contextmanager
def _party(url: str) -> Iterator[Party]:
    broker = RabbitBroker(url)
    broker.consume("detector", ["snapshot.taken"], 20)
    with contextlib.closing(broker):
        yield Party(broker).open()


RABBIT_WORLDS: dict[str, Callable[[str, bool], Outcome]] = {
    "auto-ack": settled_after_the_work,
    "no mandatory": refused_when_nobody_has_it,
}
"""By the name of the control: plays at an address, with or without the safeguard."""
