"""One connection to RabbitMQ with one channel, made again for ever; all use of pika is here and
in its loop.

Whatever goes wrong on the channel closes the connection, and a new one begins from the beginning:
one way back from all faults, so that the way is walked often and stays known.
"""

from __future__ import annotations

import contextlib
import logging
import ssl
from collections.abc import Callable
from typing import Any

import pika
from pika.adapters.utils import connection_workflow as workflow
from pika.exceptions import AMQPConnectionError, ConnectionBlockedTimeout, ConnectionOpenAborted

from shared.backoff import pause_s
from shared.bus.rabbit.loop import Loop, Sockets
from shared.bus.rabbit.topology import Topology
from shared.errors import ConfigError

log = logging.getLogger(__name__)

FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 5.0


class Link:
    """``set_up`` is called with each new channel in place; ``lost`` with the reason when it can't
    be used any more, and after attempts that failed."""

    def __init__(
        self, loop: Loop, parameters: Any, set_up: Callable[[], None], lost: Callable[[str], None]
    ) -> None:
        self._loop, self._parameters, self._set_up, self._lost = loop, parameters, set_up, lost
        self._user = parameters.credentials.username
        self._connection: Any = None
        self._channel: Any = None
        self._failures = 0
        self._reason = ""
        self._closing = False

    def connect(self) -> None:
        """Begin to connect."""
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
                exchange.name, exchange.kind, durable=True, arguments=dict(exchange.arguments)
            )
        for queue in topology.queues:
            self._channel.queue_declare(queue.name, durable=True, arguments=dict(queue.arguments))
        for binding in topology.bindings:
            self._channel.queue_bind(binding.queue, binding.exchange, binding.key)

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

    def publish(self, exchange: str, key: str, event_id: str, body: bytes, kind: str) -> None:
        """Hand a persistent, mandatory message to the connection; it leaves with the next turn."""
        properties = pika.BasicProperties(
            content_type=kind, delivery_mode=2, message_id=event_id, user_id=self._user
        )
        self._channel.basic_publish(exchange, key, body, properties, mandatory=True)

    def consume(
        self,
        queue: str,
        prefetch: int,
        delivered: Callable[[str, int, bool, bytes], None],
        ready: Callable[[], None] | None,
    ) -> None:
        """Have ``delivered(queue, tag, redelivered, body)`` called; only the last has ``ready``."""

        def on_message(_channel: Any, method: Any, _properties: Any, body: bytes) -> None:
            # What is for one queue was delivered before: by a process that may have died of it.
            again = method.redelivered or not method.exchange
            delivered(queue, method.delivery_tag, again, body)

        callback = None if ready is None else lambda _: self._is_ready(ready)
        # RabbitMQ keeps the number for the consumers that follow, not for the channel.
        self._channel.basic_qos(prefetch_count=prefetch)
        self._channel.basic_consume(queue, on_message, callback=callback)

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
        channel.add_on_close_callback(lambda _, error: self._drop(_explain(error)))
        channel.add_on_cancel_callback(lambda _: self._drop("a queue was deleted"))
        self._channel = channel
        self._set_up()

    def _drop(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._channel = None
        if not self._closing:
            self._lost(self._reason)
        if self._connection is not None and self._connection.is_open:
            self._connection.close()

    def _on_closed(self, _: Any, error: BaseException) -> None:
        self._reason = self._reason or _explain(error)
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


def parameters(url: str, name: str, blocked_timeout_s: float) -> Any:
    """What pika needs to connect; raises ConfigError, which does not show the URL."""
    made = None
    if url.startswith(("amqp://", "amqps://")):
        with contextlib.suppress(ValueError, TypeError, LookupError):
            made = pika.URLParameters(url)
    if made is None:  # without the cause, which shows the password
        raise ConfigError(
            "broker.url is no address of a RabbitMQ; write amqp[s]://user:password@host/vhost, "
            "with %2F for a '/' in user, password or vhost"
        )
    if made.ssl_options is not None:
        made.ssl_options = pika.SSLOptions(ssl.create_default_context(), made.host)
    made.heartbeat = 30
    made.blocked_connection_timeout = blocked_timeout_s
    made.socket_timeout, made.stack_timeout = 5.0, 10.0
    made.connection_attempts, made.retry_delay = 1, 0.0
    made.tcp_options = {"TCP_USER_TIMEOUT": 10_000}
    made.client_properties = {"connection_name": name}
    return made


def _tell_blocked(_: Any, frame: Any) -> None:
    text = "rabbitmq takes no messages now: %s; free memory or disk space where it runs"
    log.warning(text, frame.method.reason, extra={"action": "blocked"})


def _explain(error: Any) -> str:
    while True:  # pika wraps the cause up to three times
        if isinstance(error, workflow.AMQPConnectionWorkflowFailed):
            error = error.exceptions[-1]
        elif isinstance(error, workflow.AMQPConnectorPhaseErrorBase):
            error = error.exception
        elif type(error) is AMQPConnectionError and isinstance(error.args[0], BaseException):
            error = error.args[0]
        else:
            break
    if isinstance(error, ConnectionBlockedTimeout):
        return "it took no messages for too long; it is short of memory or disk space"
    text = str(getattr(error, "reply_text", "") or error) or type(error).__name__
    if "PRECONDITION_FAILED" in text and "inequivalent arg" in text:
        text += (
            "; it exists with other settings: remove it (rabbitmqctl delete_queue NAME, or on "
            "RabbitMQ's page), it is made again then and filled from the journal"
        )
    return text
