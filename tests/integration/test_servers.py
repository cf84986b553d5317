"""The private servers of the tests do what the tests rely on."""

from __future__ import annotations

import time

import pika
import psycopg
import pytest

from tests.support.postgres import PostgresServer
from tests.support.rabbit import RabbitServer


def _publish_and_get(url: str) -> bytes:
    link = pika.BlockingConnection(pika.URLParameters(url))
    channel = link.channel()
    channel.queue_declare("q", durable=True, arguments={"x-queue-type": "quorum"})
    channel.confirm_delivery()
    channel.basic_publish("", "q", b"kept", pika.BasicProperties(delivery_mode=2), mandatory=True)
    body = channel.basic_get("q")[2]
    link.close()
    return body


def test_rabbit_gives_every_test_a_virtual_host_of_its_own(amqp_url: str) -> None:
    assert _publish_and_get(amqp_url) == b"kept"


def test_rabbit_keeps_a_confirmed_message_when_it_is_killed(
    rabbit: RabbitServer, amqp_url: str
) -> None:
    _publish_and_get(amqp_url)

    rabbit.kill()
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        pika.BlockingConnection(pika.URLParameters(amqp_url))
    rabbit.start()

    link = pika.BlockingConnection(pika.URLParameters(amqp_url))
    assert link.channel().basic_get("q", auto_ack=True)[2] == b"kept"
    link.close()


def test_rabbit_answers_ctl_and_eval(rabbit: RabbitServer) -> None:
    assert "tests" in rabbit.ctl("list_users")
    assert rabbit.eval("6 * 7") == "42"
    with pytest.raises(AssertionError, match="badarith"):
        rabbit.eval("1 / 0")


def test_rabbit_stops_in_order_without_a_pause(rabbit: RabbitServer) -> None:
    rabbit.start()
    process = rabbit._process
    began = time.monotonic()
    rabbit.stop()
    assert time.monotonic() - began < 4
    assert process is not None
    assert process.returncode == 0


def test_postgres_gives_every_test_a_database_of_its_own_and_survives_a_kill(
    postgres: PostgresServer, postgres_url: str
) -> None:
    dsn = postgres_url.replace("+psycopg", "")
    with psycopg.connect(dsn) as link:
        link.execute("CREATE TABLE t (x int)")
        link.execute("INSERT INTO t VALUES (1)")

    postgres.kill()
    postgres.start()

    with psycopg.connect(dsn) as link:
        assert link.execute("SELECT x FROM t").fetchall() == [(1,)]
