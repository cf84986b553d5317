"""RabbitMQ with an alarm, silent, or robbed of queues and connections: told in time, and mended."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.fakes import eventually
from tests.support.listeners import Make
from tests.support.rabbit import RabbitServer, vhost_of


@pytest.mark.promise("fault P3")
@pytest.mark.parametrize(
    ("command", "alarm", "quiet"),
    [
        ("set_vm_memory_high_watermark", "0.0001", "0.4"),
        ("set_disk_free_limit", "900000GB", "20MB"),
    ],
)
def test_an_alarm_refuses_publishes_in_time_and_never_hangs(
    make: Make, rabbit: RabbitServer, command: str, alarm: str, quiet: str
) -> None:
    party = make(blocked_timeout_s=1.0).open()
    party.publish("before")
    party.until(lambda: party.deliveries and party.confirmed)
    rabbit.ctl(command, alarm)
    try:
        began, longest = time.monotonic(), 0.0
        for number in range(300):
            party.publish(str(number))
        while not party.all_told():
            assert time.monotonic() < began + 60, party.summary()
            turned = time.monotonic()
            party.broker.poll(0.05)
            longest = max(longest, time.monotonic() - turned)
        told_after = time.monotonic() - began
    finally:
        rabbit.ctl(command, quiet)

    assert longest < 5
    assert 0.5 < told_after < 40
    assert len(party.refused) > 200
    assert "memory or disk" in party.refused[-1][1]
    # Deliveries were not lost: this one is settled, and does not come again.
    assert all(connected for connected, _ in party.connections)
    party.acknowledge()

    party.until(lambda: party.connections[-1][1].startswith("connected"))
    party.publish("after")

    def arrived() -> bool:
        party.acknowledge()  # some that were refused lay in RabbitMQ's socket, and come now
        return "after" in party.confirmed and "after" in party.bodies("detector")

    party.until(arrived)
    assert party.bodies("detector").count("before") == 1


@pytest.mark.promise("fault P4")
def test_a_silent_rabbitmq_refuses_in_time_and_late_confirms_change_nothing(
    make: Make, rabbit: RabbitServer
) -> None:
    party = make(confirm_timeout_s=0.5).open()
    rabbit.pause()
    try:
        for number in range(300):
            party.publish(str(number))
        party.until(party.all_told, timeout=30)
        assert len(party.refused) == 300
        assert "no confirm" in party.refused[0][1]
    finally:
        rabbit.resume()

    party.until(lambda: len(party.deliveries) == 10)
    party.turn(0.2)
    assert party.all_told()
    party.publish("after")
    party.until(lambda: "after" in party.confirmed)


def test_closing_does_not_wait_for_a_silent_rabbitmq(make: Make, rabbit: RabbitServer) -> None:
    party = make(close_grace_s=0.3).open()
    rabbit.pause()
    try:
        party.publish("1")
        began = time.monotonic()
        party.broker.close()
        assert time.monotonic() - began < 15
        assert party.all_told()
    finally:
        rabbit.resume()


@pytest.mark.promise("feat D6")
def test_connections_closed_by_the_broker_come_back_and_every_publish_is_told_once(
    make: Make, rabbit: RabbitServer, amqp_url: str
) -> None:
    party = make().open()
    for number in range(200):
        party.publish(str(number))
    for each in eventually(
        lambda: rabbit.api("GET", f"/api/vhosts/{vhost_of(amqp_url)}/connections")
    ):
        rabbit.api("DELETE", f"/api/connections/{quote(each['name'])}")

    party.until(lambda: len(party.connections) > 1 and party.connected)
    party.until(party.all_told)
    party.publish("after")
    party.until(lambda: "after" in party.confirmed)

    assert party.connections[1][0] is False
    assert len({each.tag for each in party.deliveries}) == len(party.deliveries)


@pytest.mark.promise("fault D9")
def test_a_deleted_queue_is_declared_again(make: Make, stranger: Any) -> None:
    party = make().open()
    stranger.queue_delete("detector")
    party.until(lambda: len(party.connections) > 1 and party.connected)

    party.publish("1")
    party.until(lambda: party.deliveries)

    assert "deleted" in party.connections[1][1]


@pytest.mark.promise("fault D3")
def test_a_message_that_ends_its_consumer_again_and_again_is_among_the_dead_letters(
    make: Make, stranger: Any
) -> None:
    party = make().open()
    party.publish("poison")
    party.until(lambda: party.deliveries and party.confirmed)

    for _ in range(20):
        party.broker.close()
        party = make().open()
        party.until(lambda: party.deliveries)  # noqa: B023
    party.broker.close()

    _, properties, body = eventually(
        lambda: (got := stranger.basic_get("snapbus.dead", auto_ack=True))[0] and got
    )
    assert body == b"poison"
    assert properties.headers["x-death"][0]["reason"] == "delivery_limit"


@pytest.mark.promise("fault P5")
def test_a_deleted_exchange_refuses_and_is_declared_again(make: Make, stranger: Any) -> None:
    party = make().open()
    stranger.exchange_delete("snapbus")

    party.publish("1")
    party.until(party.all_told)
    assert "NOT_FOUND" in party.refused[0][1]

    def confirmed() -> bool:
        if party.connected and party.all_told():
            party.publish("2")
        return "2" in party.confirmed

    party.until(confirmed)


@pytest.mark.promise("inv I18", "fault P2")
def test_a_wiped_broker_gets_its_queues_back_before_anything_is_published(
    make: Make, rabbit: RabbitServer, amqp_url: str
) -> None:
    party = make().open()
    rabbit.remove_vhost(vhost_of(amqp_url))
    party.until(lambda: not party.connected)
    rabbit.api("PUT", f"/api/vhosts/{vhost_of(amqp_url)}")
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    rabbit.api("PUT", f"/api/permissions/{vhost_of(amqp_url)}/{rabbit.user}", everything)

    party.until(lambda: party.connected)
    party.publish("1")
    party.until(lambda: party.deliveries and party.confirmed)


def test_a_queue_with_other_settings_is_told_with_a_remedy_and_tried_again(
    make: Make, stranger: Any, caplog: pytest.LogCaptureFixture
) -> None:
    stranger.queue_declare("detector", durable=True)
    party = make()
    party.broker.open(party)
    party.until(lambda: any("delete_queue" in detail for _, detail in party.connections))
    party.until(lambda: "delete_queue" in caplog.text)

    stranger.queue_delete("detector")
    party.until(lambda: party.connected)
