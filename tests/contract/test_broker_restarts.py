"""What a broker that can be restarted or killed promises: what it confirmed comes through."""

from __future__ import annotations

import threading
import time

import pytest

from tests.support.rabbit import RabbitServer
from tests.support.transports import DETECTOR, Transport, having


@pytest.mark.parametrize("fault", ["stopped", pytest.param("killed", marks=pytest.mark.prove)])
@having("restartable")
@pytest.mark.promise("fault P2")
@pytest.mark.promise("feat D6")
def test_a_restart_in_the_middle_loses_nothing_that_was_confirmed(
    transport: Transport, fault: str, rabbit: RabbitServer
) -> None:
    party = transport.party({"detector": (["snapshot.taken"], 20)}).open()

    def restart() -> None:
        if fault == "killed":
            rabbit.kill()
            rabbit.start()
        else:
            rabbit.hurry()
            rabbit.ctl("stop_app")
            rabbit.ctl("start_app")

    disturber = threading.Thread(target=restart, daemon=True)
    number, was_down = 0, False
    deadline = time.monotonic() + 60
    while number < 600 or disturber.is_alive():
        assert time.monotonic() < deadline, party.summary()
        limit = 600 if was_down and party.connected else 400 if was_down else 300
        if number < limit:
            party.publish(str(number))
            number += 1
        if number == 100 and disturber.ident is None:
            disturber.start()
        party.broker.poll(0.005)
        party.acknowledge()
        was_down = was_down or not party.connected
    party.until(party.all_told)
    unknown = {event_id for event_id, _ in party.refused} - set(party.confirmed)
    for event_id in unknown:  # as the reconciler does
        party.publish(event_id)
    party.until(party.all_told)

    def complete() -> bool:
        party.acknowledge()
        return set(party.bodies("detector")) >= set(party.confirmed)

    party.until(complete)
    assert was_down
    assert unknown
    assert set(party.bodies("detector")) == set(map(str, range(600)))


@having("persistent")
@pytest.mark.promise("fault P2")
def test_what_was_confirmed_survives_a_kill_of_the_broker(
    transport: Transport, rabbit: RabbitServer
) -> None:
    first = transport.party(DETECTOR).open()
    first.broker.close()
    publisher = transport.party({}).open()
    for number in range(50):
        publisher.publish(str(number))
    publisher.until(publisher.all_told)
    publisher.broker.close()

    rabbit.kill()
    rabbit.start()
    party = transport.party(DETECTOR).open()

    def complete() -> bool:
        party.acknowledge()
        return set(party.bodies("detector")) >= set(publisher.confirmed)

    party.until(complete)
    assert len(publisher.confirmed) == 50
