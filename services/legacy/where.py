"""Where the RabbitMQ of the existing system is."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import ConfigError
from shared.settings import Settings


def url_of(settings: Settings) -> str:
    """Of the house's RabbitMQ. Raises ConfigError."""
    if settings.legacy.exchange == settings.broker.exchange:
        raise ConfigError("legacy.exchange: is that of broker.exchange; each needs its own")
    url = settings.legacy.url.get_secret_value() or settings.broker.url.get_secret_value()
    if url == "local":
        raise ConfigError(
            "legacy.url: is missing. Name the RabbitMQ of the existing system, such as "
            "amqp://guest:guest@192.168.1.100/%2F, or set legacy.enabled to false."
        )
    return url


def check(settings: Settings) -> Sequence[str]:
    """Raises ConfigError for what ``build`` would refuse."""
    if settings.legacy.enabled:
        from shared.amqp.parameters import parameters  # pika, which others need not load

        parameters(url_of(settings), "", 0.0, setting="legacy.url")
    return ()
