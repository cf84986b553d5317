"""A program of the existing system, made of its documented format alone: pika and MessagePack."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgpack
import pika

from tests.support.fakes import eventually

EXCHANGE = "home_automation"


@dataclass(frozen=True)
class Heard:
    """A message on the topic exchange."""

    key: str
    raw: bytes
    properties: Any = field(repr=False)

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = msgpack.unpackb(self.raw, raw=False)
        return found

    @property
    def device(self) -> dict[str, Any]:
        """The only input."""
        (one,) = self.body["inputs"]
        return dict(one)


class Peer:
    """Declares both exchanges, hears everything on one, and puts triggers on the other."""

    def __init__(self, url: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self._channel = self._connection.channel()
        self._channel.exchange_declare(exchange=EXCHANGE, exchange_type="topic")
        self._channel.exchange_declare(exchange=f"{EXCHANGE}_control", exchange_type="direct")
        self.queue = self._channel.queue_declare("", exclusive=True).method.queue
        self._channel.queue_bind(exchange=EXCHANGE, queue=self.queue, routing_key="#")
        self._channel.basic_consume(self.queue, self._hear, auto_ack=True)
        self.heard: list[Heard] = []

    def _hear(self, _channel: Any, method: Any, properties: Any, body: bytes) -> None:
        self.heard.append(Heard(method.routing_key, body, properties))

    def trigger(
        self,
        device_key: str,
        params: str | None = None,
        *,
        key: str = "event.trigger.snapshot",
        timestamp: float | None = None,
        label: str | None = "Front Door Camera",
        **more: Any,
    ) -> int:
        """Ask for a picture as event-processor does; returns the time in the message."""
        asked = int(time.time()) if timestamp is None else timestamp
        output = {
            "device_key": device_key,
            "device_type": "Camera",
            "device_label": label,
            "device_params": params,
            "trigger_topic": None,
            "trigger_interval": 60,
            "device_enabled": True,
        }
        cause = {"device_key": "Hall Motion", "type": "detector", "image": bytes(2_000)}
        body = {"timestamp": asked, "active_input": cause, "output_triggered": output, **more}
        self.put(key, msgpack.packb(body, use_bin_type=True))
        return int(asked)

    def put(self, key: str, body: bytes) -> None:
        """Publish to the control exchange."""
        expiring = pika.BasicProperties(expiration="60000")
        self._channel.basic_publish(f"{EXCHANGE}_control", key, body, expiring)

    def put_event(self, key: str, body: bytes) -> None:
        """Publish to the topic exchange."""
        self._channel.basic_publish(EXCHANGE, key, body)

    def wait_for(
        self, key: str, where: Mapping[str, Any] | None = None, timeout: float = 40
    ) -> Heard:
        """The first message under a routing key whose device has these fields."""

        def find() -> Heard | None:
            self._connection.process_data_events(0.05)
            for each in self.heard:
                if each.key == key and (not where or where.items() <= each.device.items()):
                    return each
            return None

        return eventually(find, timeout=timeout, message=f"a peer hears {key} {where}")

    def listen(self, seconds: float) -> list[Heard]:
        """What comes in so many seconds."""
        before, until = len(self.heard), time.monotonic() + seconds
        while time.monotonic() < until:
            self._connection.process_data_events(0.05)
        return self.heard[before:]

    def close(self) -> None:
        self._connection.close()
