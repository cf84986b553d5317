"""Which broker the configuration asks for; its library is imported only then."""

from __future__ import annotations

from shared.bus.broker import Broker
from shared.errors import ConfigError
from shared.settings.runtime import BrokerSection


def open_broker(section: BrokerSection, name: str) -> Broker:
    """The broker of ``broker.url``, not connected yet; ``name`` is shown by RabbitMQ's own tools.
    Raises ConfigError."""
    url = section.url.get_secret_value()
    if url == "local":
        from shared.bus.local import LocalBroker

        return LocalBroker(section.max_length)
    if url.startswith(("amqp://", "amqps://")):
        from shared.bus.rabbit.broker import RabbitBroker

        return RabbitBroker(url, section.exchange, section.max_length, name=name)
    raise ConfigError("broker.url: must be 'local' or begin with amqp:// or amqps://")
