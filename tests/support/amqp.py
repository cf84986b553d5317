"""An AMQP consumer that shares no code with ours: what home automation would be."""

from __future__ import annotations

import json
import threading
from typing import Any

import pika

from tests.support.fakes import eventually


class Witness:
    """Hears every event of an exchange from a queue of its own, in a thread of its own."""

    def __init__(self, url: str, exchange: str = "snapbus", binding: str = "#") -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._ready = threading.Event()
        self._parameters = pika.URLParameters(url)
        self._exchange, self._binding = exchange, binding
        self._thread = threading.Thread(target=self._run, name="witness", daemon=True)
        self._thread.start()
        assert self._ready.wait(60), "the witness could not connect"

    def _run(self) -> None:
        self._connection = pika.BlockingConnection(self._parameters)
        channel = self._connection.channel()
        channel.exchange_declare(self._exchange, "topic", durable=True, passive=True)
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, self._exchange, self._binding)
        channel.basic_consume(queue, self._hear, auto_ack=True)
        self._ready.set()
        channel.start_consuming()

    def _hear(self, _channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        self.heard.append((method.routing_key, json.loads(body)))

    def wait_for(self, topic: str, snapshot_id: str, timeout: float = 30) -> dict[str, Any]:
        """The first event of this topic about this snapshot."""

        def find() -> dict[str, Any] | None:
            for _key, event in list(self.heard):
                if event["type"] == topic and event.get("snapshotid") == snapshot_id:
                    return event
            return None

        found = eventually(find, timeout=timeout, message=f"{topic} of {snapshot_id} is heard")
        assert found
        return found

    def close(self) -> None:
        self._connection.add_callback_threadsafe(self._connection.close)
        self._thread.join(10)
