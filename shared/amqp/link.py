"""One connection to a RabbitMQ with one channel, made again for ever; pika is used here and in
the files beside this one.

Whatever goes wrong on the channel closes the connection, and a new one begins from the beginning:
one way back from all faults, so that the way is walked often and stays known.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pika
from pika.exceptions import ConnectionOpenAborted

from shared.amqp.bounded import Bounded
from shared.amqp.declared import Binding, Topology
from shared.amqp.faults import explain
from shared.amqp.loop import Loop, Sockets
from shared.backoff import pause_s

log = logging.getLogger(__name__)

FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 5.0


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as RabbitMQ delivers it. ``user`` is the account that published it, empty if that
    account did not say so; RabbitMQ refuses to be told another one. ``left_out`` are the bytes of a
    body that was too large to be received."""

    tag: int
    redelivered: bool
    exchange: str
    user: str
    body: bytes
    key: str = ""
    headers: Mapping[str, Any] = field(default_factory=dict)
    left_out: int = 0


class Link:
    """``set_up`` is called with each new channel in place; ``lost`` with the reason when it can't
    be used any more, and after attempts that failed."""

    def __init__(
        self, loop: Loop, parameters: Any, set_up: Callable[[], None], lost: Callable[[str], None]
    ) -> None:
        self._loop, self._parameters, self._set_up, self._lost = loop, parameters, set_up, lost
        self._user: str = parameters.credentials.username
        self._connection: Any = None
        self._channel: Any = None
        self._bodies = Bounded()
        self._failures = 0
        self._reason = ""
        self._closing = False

    def connect(self) -> None:
        """Begin to connect."""
        # pika reports each fault several times over; this module says it once.
        logging.getLogger("pika").setLevel(logging.CRITICAL)
        if not self._closing:
            self._reason = ""
            self._connection = pika.SelectConnection(
                self._parameters,
                on_open_callback=self._on_open,
                on_open_error_callback=self._on_closed,
                on_close_callback=self._on_closed,
                custom_ioloop=Sockets(self._loop),
            )

    @property
    def user(self) -> str:
        """The account on RabbitMQ."""
        return self._user

    @property
    def usable(self) -> bool:
        """Whether the channel takes anything now."""
        return self._channel is not None and self._channel.is_open

    @property
    def closed(self) -> bool:
        """Whether no connection is open or being made."""
        return self._connection is None

    def close(self) -> None:
        """Begin to disconnect, once and for all."""
        self._closing = True
        if self._connection is not None and not self._connection.is_closing:
            self._connection.close()

    def abort(self) -> None:
        """Disconnect without a word of the broker, which may be blocked, frozen or gone."""
        if self._connection is not None:
            # pika has no public way to end a connection whose closing handshake gets no answer.
            self._connection._terminate_stream(ConnectionOpenAborted("no answer while closing"))

    def declare(self, topology: Topology) -> None:
        """Ask for exchanges, queues and bindings; a refusal closes the channel."""
        for exchange in topology.exchanges:
            self._channel.exchange_declare(
                exchange.name,
                exchange.kind,
                durable=exchange.durable,
                arguments=dict(exchange.arguments),
            )
        for queue in topology.queues:
            self._channel.queue_declare(queue.name, durable=True, arguments=dict(queue.arguments))
        for each in topology.bindings:
            bind = self._channel.exchange_bind if each.forwards else self._channel.queue_bind
            bind(each.to, each.exchange, each.key)

    def confirm(
        self,
        answered: Callable[[int, bool, bool], None],
        returned: Callable[[str, str, str, str], None],
        ready: Callable[[], None],
    ) -> None:
        """Have publishes confirmed: ``answered(tag, multiple, taken)``, and before that, if it
        could not be routed, ``returned(event id, exchange, routing key, reason)``."""

        def on_answer(frame: Any) -> None:
            method = frame.method
            answered(method.delivery_tag, method.multiple, isinstance(method, pika.spec.Basic.Ack))

        def on_return(_channel: Any, method: Any, properties: Any, _body: bytes) -> None:
            returned(properties.message_id, method.exchange, method.routing_key, method.reply_text)

        self._channel.add_on_return_callback(on_return)
        self._channel.confirm_delivery(on_answer, callback=lambda _: self._is_ready(ready))

    def publish(
        self,
        exchange: str,
        key: str,
        event_id: str,
        body: bytes,
        kind: str,
        headers: Mapping[str, str],
    ) -> None:
        """Hand a persistent, mandatory message to the connection; it leaves with the next turn."""
        properties = pika.BasicProperties(
            content_type=kind,
            delivery_mode=2,
            message_id=event_id,
            user_id=self._user,
            headers=dict(headers) or None,
        )
        self._channel.basic_publish(exchange, key, body, properties, mandatory=True)

    def send(self, exchange: str, key: str, message_id: str, body: bytes) -> None:
        """Hand a message to the connection that may reach nobody, and outlives no restart."""
        properties = pika.BasicProperties(message_id=message_id or None)
        self._channel.basic_publish(exchange, key, body, properties)

    def consume(
        self,
        queue: str,
        prefetch: int,
        delivered: Callable[[str, Incoming], None],
        ready: Callable[[], None] | None,
    ) -> None:
        """Have ``delivered(queue, message)`` called; only the last has ``ready``."""

        def on_message(_channel: Any, method: Any, properties: Any, body: bytes) -> None:
            tag, exchange, key = method.delivery_tag, method.exchange, method.routing_key
            user, headers = properties.user_id or "", properties.headers or {}
            again, large = method.redelivered, self._bodies.taken()
            delivered(queue, Incoming(tag, again, exchange, user, body, key, headers, large))

        callback = None if ready is None else lambda _: self._is_ready(ready)
        # RabbitMQ keeps the number for the consumers that follow, not for the channel.
        self._channel.basic_qos(prefetch_count=prefetch)
        self._channel.basic_consume(queue, on_message, callback=callback)

    def listen(
        self,
        bindings: Sequence[Binding],
        prefetch: int,
        delivered: Callable[[str, Incoming], None],
        ready: Callable[[], None],
    ) -> None:
        """Consume a queue of our own, which the broker names and which ends with the connection;
        ``bindings`` name no queue."""

        def on_declared(frame: Any) -> None:
            queue = frame.method.queue
            for each in bindings:
                self._channel.queue_bind(queue, each.exchange, each.key)
            self.consume(queue, prefetch, delivered, ready)

        self._channel.queue_declare("", exclusive=True, callback=on_declared)

    def acknowledge(self, tag: int, *, accepted: bool) -> None:
        """Acknowledge a delivery, or have it put among the dead letters."""
        if accepted:
            self._channel.basic_ack(tag)
        else:
            self._channel.basic_reject(tag, requeue=False)

    def _is_ready(self, ready: Callable[[], None]) -> None:
        self._failures = 0
        ready()

    def _on_open(self, connection: Any) -> None:
        connection.add_on_connection_blocked_callback(_tell_blocked)
        connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Any) -> None:
        channel.add_on_close_callback(lambda _, error: self._drop(explain(error)))
        channel.add_on_cancel_callback(lambda _: self._drop("a queue was deleted"))
        self._channel = channel
        # pika has no public way to limit a body before all of it is in memory.
        self._bodies = channel._content_assembler = Bounded()
        self._set_up()

    def _drop(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._channel = None
        if not self._closing:
            self._lost(self._reason)
        if self._connection is not None and self._connection.is_open:
            self._connection.close()

    def _on_closed(self, _: Any, error: BaseException) -> None:
        self._reason = self._reason or explain(error)
        self._connection = self._channel = None
        if self._closing:
            return
        self._lost(self._reason)
        self._failures += 1
        wait_s = pause_s(self._failures, FIRST_RETRY_S, LONGEST_RETRY_S)
        where, port = self._parameters.host, self._parameters.port
        text = "no connection to rabbitmq at %s:%s: %s; trying again in %.1f s"
        log.warning(text, where, port, self._reason, wait_s, extra={"action": "connect"})
        self._loop.call_later(wait_s, self.connect)


def _tell_blocked(_: Any, frame: Any) -> None:
    text = "rabbitmq takes no messages now: %s; free memory or disk space where it runs"
    log.warning(text, frame.method.reason, extra={"action": "blocked"})
