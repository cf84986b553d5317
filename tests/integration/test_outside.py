"""A broker of the house beside the one in the process: a real RabbitMQ, and a Snapbus on SQLite."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pika
import pytest

from shared.envelope import encode
from shared.errors import ConfigError
from shared.events import SnapshotRequested
from shared.settings import load
from tests.support.amqp import Witness
from tests.support.fakes import eventually
from tests.support.making import taken
from tests.support.processes import Process
from tests.support.rabbit import RabbitServer

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def snapbus(tmp_path: Path, amqp_url: str) -> Iterator[Process]:
    process = Process(tmp_path, broker={"url": "local", "outside": amqp_url})
    process.start().ready()
    eventually(lambda: outside(process)["ok"], timeout=30)
    yield process
    if process.process and process.process.poll() is None:
        process.kill()


def outside(process: Process) -> dict[str, Any]:
    """What it says of itself; nothing while it does not answer."""
    answer = process.get("/ready")[1]
    services = answer.get("services", {}) if isinstance(answer, dict) else {}
    found: dict[str, Any] = services.get("outside", {"ok": None})
    return found


def topics(witness: Witness) -> list[str]:
    return [event["type"] for _, event in witness.heard]


@pytest.mark.promise("find D6")
def test_the_house_hears_what_happens_with_its_trace(snapbus: Process, amqp_url: str):
    witness = Witness(amqp_url)
    with closing(pika.BlockingConnection(pika.URLParameters(amqp_url))) as link:
        channel = link.channel()
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, "snapbus", "snapshot.analyzed.#")
        snapbus.send(0)
        snapbus.all_filed(1)
        eventually(lambda: len(witness.heard) >= 3, timeout=30)
        _method, properties, body = channel.basic_get(queue, auto_ack=True)

    witness.close()
    assert topics(witness) == ["snapshot.taken", "snapshot.analyzed", "snapshot.archived"]
    parents = [event["traceparent"] for _, event in witness.heard]
    assert len({each[3:35] for each in parents}) == 1
    assert properties.headers["traceparent"] == json.loads(body)["traceparent"] == parents[1]
    snapbus.stop()


def request(**more: Any) -> Any:
    data = SnapshotRequested(camera="porch", reason="event")
    made = data.event(subject="porch", cause="the doorbell")
    return json.loads(encode(made)) | {"source": "/home/doorbell"} | more


@pytest.mark.promise("find D6", "feat D10", "find M6")
def test_the_house_asks_for_pictures_and_is_believed_nothing_else(snapbus: Process, amqp_url: str):
    asked = request()
    del asked["traceparent"]
    lie = json.loads(encode(taken(1))) | {"source": "/home/doorbell"}
    odd = request(id="odd", data={"camera": "porch", "reason": "nobody knows"})
    with closing(pika.BlockingConnection(pika.URLParameters(amqp_url))) as link:
        channel = link.channel()
        for each in (lie, odd, asked):
            channel.basic_publish(
                "snapbus.requests", "snapshot.requested.porch", json.dumps(each).encode(),
                pika.BasicProperties(headers={"traceparent": PARENT, "baggage": "house=7"}),
            )  # fmt: skip
        with closing(snapbus.journal()) as journal:
            found = eventually(lambda: journal.read.event(asked["id"]), timeout=20)
            assert found and found.event.subject == "porch"
            assert (found.event.trace, found.event.baggage) == (PARENT, "house=7")
            assert journal.read.event(lie["id"]) is journal.read.event("odd") is None
        dead = eventually(lambda: channel.queue_declare("snapbus.dead", passive=True), timeout=20)
        eventually(
            lambda: channel.queue_declare("snapbus.dead", passive=True).method.message_count == 2
        )
        assert dead
    assert "may not be said from outside" in snapbus.log()


@pytest.mark.promise("find D6")
def test_what_the_house_said_is_not_said_to_it_again(snapbus: Process, amqp_url: str):
    asked = request()
    heard: list[str] = []
    with closing(pika.BlockingConnection(pika.URLParameters(amqp_url))) as link:
        channel = link.channel()
        queue = channel.queue_declare("", exclusive=True).method.queue
        for topic in ("snapshot.requested", "snapshot.analyzed"):
            channel.queue_bind(queue, "snapbus", f"{topic}.#")
        channel.basic_publish(
            "snapbus.requests", "snapshot.requested.porch", json.dumps(asked).encode()
        )
        with closing(snapbus.journal()) as journal:
            eventually(lambda: journal.read.event(asked["id"]), timeout=20)
        snapbus.send(0)  # its events come later, by the same way

        def analyzed() -> bool:
            while (got := channel.basic_get(queue, auto_ack=True))[0]:
                heard.append(json.loads(got[2])["type"])
            return "snapshot.analyzed" in heard

        eventually(analyzed, timeout=60)
    assert heard == ["snapshot.requested", "snapshot.analyzed"]


@pytest.mark.promise("find D6")
@pytest.mark.timeout(240)
def test_while_it_is_away_all_goes_on_and_it_hears_everything_afterwards(
    snapbus: Process, amqp_url: str, rabbit: RabbitServer
):
    with closing(pika.BlockingConnection(pika.URLParameters(amqp_url))) as link:
        channel = link.channel()
        channel.queue_declare("home.hall", durable=True)
        channel.queue_bind("home.hall", "snapbus", "snapshot.#")
    rabbit.stop()
    eventually(lambda: outside(snapbus)["ok"] is False, timeout=30)
    snapbus.send(0, 1)
    snapbus.taken()
    snapbus.all_filed(2)
    assert "waits for 127.0.0.1" in outside(snapbus)["summary"]

    rabbit.start()
    with closing(pika.BlockingConnection(pika.URLParameters(amqp_url))) as link:
        heard: list[str] = []

        def all_heard() -> bool:
            while (got := link.channel().basic_get("home.hall", auto_ack=True))[0]:
                heard.append(json.loads(got[2])["type"])
            return len(heard) >= 6

        eventually(all_heard, timeout=120)
    assert sorted(set(heard)) == ["snapshot.analyzed", "snapshot.archived", "snapshot.taken"]


@pytest.mark.parametrize(
    ("broker", "words"),
    [
        ({"url": "amqp://a", "outside": "amqp://b"}, "goes with 'url: local'"),
        ({"outside": "mqtt://b"}, "must begin with amqp"),
    ],
)
def test_what_can_not_be_an_outside_broker_is_told(tmp_path: Path, broker, words: str):
    file = tmp_path / "snapbus.yml"
    file.write_text(json.dumps({"broker": broker}))
    with pytest.raises(ConfigError, match=words):
        load(file, {})
