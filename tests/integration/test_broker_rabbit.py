"""RabbitMQ: the topology that others may use, and its addresses, certificates and errors."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from shared import envelope
from shared.bus.rabbit.broker import RabbitBroker
from shared.errors import ConfigError
from shared.events import Event
from tests.support.fakes import eventually
from tests.support.listeners import Make
from tests.support.ports import free_ports
from tests.support.rabbit import RabbitServer, vhost_of


@pytest.fixture
def tls_port(rabbit: RabbitServer, tmp_path: Path) -> Iterator[int]:
    """RabbitMQ behind TLS, with a certificate in tmp_path/cert.pem that nobody signed."""
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem -out cert.pem"
    names = ["-subj", "/CN=rabbit", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command.split(), *names], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", rabbit.port)
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    port = free_ports(1)[0]
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(relay, "127.0.0.1", port, ssl=context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield port
    loop.call_soon_threadsafe(server.close)
    eventually(lambda: asyncio.run_coroutine_threadsafe(_others(), loop).result(5) == 0)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _others() -> int:
    return len(asyncio.all_tasks()) - 1


def queue_of(rabbit: RabbitServer, url: str, name: str) -> Any:
    return rabbit.api("GET", f"/api/queues/{vhost_of(url)}/{quote(name)}")


def test_anyone_who_binds_to_the_exchange_gets_cloudevents(make: Make, stranger: Any) -> None:
    party = make().open()
    own = stranger.queue_declare("", exclusive=True).method.queue
    stranger.queue_bind(own, "snapbus", "snapshot.#")
    event = Event(
        id="e1", topic="snapshot.taken", subject="porch", time=datetime.now(UTC), data={"a": 1}
    )

    party.publish(event.id, "snapshot.taken.porch", envelope.encode(event))
    party.until(lambda: party.confirmed)

    method, properties, body = eventually(
        lambda: (got := stranger.basic_get(own, auto_ack=True))[0] and got
    )
    assert method.routing_key == "snapshot.taken.porch"
    assert properties.content_type == "application/cloudevents+json"
    assert (properties.message_id, properties.delivery_mode) == ("e1", 2)
    assert properties.user_id == RabbitServer.user
    assert json.loads(body)["specversion"] == "1.0"
    assert json.loads(body)["subject"] == "porch"


@pytest.mark.promise("fault P5")
def test_the_queues_are_declared_as_documented(
    make: Make, rabbit: RabbitServer, amqp_url: str
) -> None:
    make(max_length=77).open()

    served = queue_of(rabbit, amqp_url, "detector")
    assert served["durable"] and served["type"] == "quorum"
    assert served["arguments"] == {
        "x-queue-type": "quorum",
        "x-delivery-limit": 20,
        "x-dead-letter-exchange": "snapbus.dead",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-max-length": 77,
    }
    dead = queue_of(rabbit, amqp_url, "snapbus.dead")
    assert dead["type"] == "quorum" and dead["arguments"]["x-overflow"] == "drop-head"
    unrouted = queue_of(rabbit, amqp_url, "snapbus.unrouted")
    assert unrouted["durable"] and unrouted["arguments"]["x-max-length"] == 1000
    exchange = rabbit.api("GET", f"/api/exchanges/{vhost_of(amqp_url)}/snapbus")
    assert (exchange["type"], exchange["durable"]) == ("topic", True)
    assert exchange["arguments"] == {"alternate-exchange": "snapbus.unrouted"}


def test_what_nobody_listens_to_is_kept_for_a_look(make: Make, stranger: Any) -> None:
    party = make().open()

    party.publish("1", "camera.failed.porch")
    party.until(lambda: party.confirmed)

    assert eventually(lambda: stranger.basic_get("snapbus.unrouted", auto_ack=True)[2]) == b"1"


@pytest.mark.promise("fault P5")
def test_what_reaches_no_queue_at_all_is_refused_while_a_plain_publish_loses_it(
    make: Make, stranger: Any
) -> None:
    party = make().open()
    stranger.queue_delete("snapbus.unrouted")

    party.publish("1", "camera.failed.porch")
    party.until(party.all_told)
    assert [event_id for event_id, _ in party.refused] == ["1"]
    assert "NO_ROUTE" in party.refused[0][1]

    # The control: without mandatory RabbitMQ confirms it, and it is nowhere.
    stranger.confirm_delivery()
    stranger.basic_publish("snapbus", "camera.failed.porch", b"2")
    party.turn(0.1)
    assert not party.deliveries


@pytest.mark.promise("inv I16")
@pytest.mark.parametrize("fault", ["password", "port", "vhost", "name"])
def test_a_failed_connection_says_why_and_never_the_password(
    make: Make, rabbit: RabbitServer, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    caplog.set_level(logging.DEBUG)
    nobody = free_ports(1)[0]
    url, expected = {
        "password": (f"amqp://tests:canary@127.0.0.1:{rabbit.port}/%2F", "ACCESS_REFUSED"),
        "port": (f"amqp://tests:canary@127.0.0.1:{nobody}/%2F", "refused"),
        "vhost": (rabbit.url("nowhere"), "nowhere"),
        "name": ("amqp://tests:canary@nowhere.invalid/%2F", "nowhere.invalid"),
    }[fault]
    party = make(url)
    party.publish("1")
    party.broker.open(party)

    party.until(lambda: party.connections and "no connection" in caplog.text)
    party.publish("2")
    party.until(party.all_told)

    said = caplog.text + str(party.connections) + str(party.refused)
    assert expected in said
    assert "canary" not in said


@pytest.mark.promise("sec M3")
def test_tls_connects_only_to_a_certificate_that_is_trusted(
    make: Make, tls_port: int, amqp_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"amqps://tests:tests@127.0.0.1:{tls_port}/{vhost_of(amqp_url)}"
    stranger = make(url)
    stranger.broker.open(stranger)
    stranger.until(lambda: stranger.connections)
    assert "CERTIFICATE_VERIFY_FAILED" in stranger.connections[0][1]
    stranger.broker.close()

    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    party = make(url).open()
    party.publish("1", body=b"x" * 50_000)
    party.until(lambda: party.deliveries and party.confirmed)
    party.broker.close()


@pytest.mark.promise("inv I16")
@pytest.mark.parametrize(
    "url",
    [
        "redis://tests:canary@host/",
        "amqp://tests:canary@host:port/",
        "amqp://canary@host/",
        "amqp://tests:canary@host/?nonsense=1",
        "canary",
    ],
)
def test_an_address_that_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError, match=r"broker\.url") as caught:
        RabbitBroker(url)

    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None
