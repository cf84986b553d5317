"""How to reach a RabbitMQ, from its address."""

from __future__ import annotations

import contextlib
import ssl
from typing import Any

import pika

from shared.errors import ConfigError


def parameters(
    url: str, name: str, blocked_timeout_s: float, *, setting: str = "broker.url"
) -> Any:
    """What pika needs to connect; raises ConfigError, which names the setting but does not show
    the URL."""
    made = None
    if url.startswith(("amqp://", "amqps://")):
        with contextlib.suppress(ValueError, TypeError, LookupError):
            made = pika.URLParameters(url)
    if made is None:  # without the cause, which shows the password
        raise ConfigError(
            f"{setting} is no address of a RabbitMQ; write amqp[s]://user:password@host/vhost, "
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
