"""What every broker says of each message, confirmed or refused, and what settling means."""

from __future__ import annotations

import pytest

from tests.support.fakes import eventually
from tests.support.transports import DETECTOR, Transport


@pytest.mark.promise("fault P1")
def test_each_publish_is_confirmed_exactly_once(transport: Transport) -> None:
    party = transport.party({"detector": (["snapshot.taken"], 50)}).open()

    for number in range(1000):
        party.publish(str(number))
        party.acknowledge()
        party.deliveries.clear()
        if number % 100 == 0:
            party.broker.poll(0)
    party.until(party.all_told)
    party.turn(0.1)

    assert party.all_told()
    assert not party.refused


def test_what_is_unsettled_comes_again_after_a_close(transport: Transport) -> None:
    first = transport.party(DETECTOR).open()
    first.publish("1")
    first.publish("2")
    first.until(lambda: len(first.deliveries) == 2)
    assert not first.deliveries[0].redelivered

    first.acknowledge(first.deliveries[:1])
    first.broker.close()
    second = transport.again(first).open()
    second.until(lambda: second.deliveries)
    second.turn()

    assert second.bodies("detector") == ["2"]
    assert second.deliveries[0].redelivered
    assert second.deliveries[0].tag not in {each.tag for each in first.deliveries} or (
        second.broker is not first.broker
    )


def test_settling_twice_or_what_came_before_a_close_does_nothing(transport: Transport) -> None:
    party = transport.party(DETECTOR).open()
    party.publish("1")
    party.until(lambda: party.deliveries)
    old = party.deliveries[0]
    party.acknowledge()
    party.acknowledge()
    party.acknowledge(accepted=False)
    party.publish("2")
    party.until(lambda: len(party.deliveries) == 2)
    party.broker.close()
    party.acknowledge()
    again = transport.again(party).open()
    again.broker.acknowledge(old, accepted=False)
    again.until(lambda: again.deliveries)

    assert again.bodies("detector") == ["2"]
    assert transport.dead_letters() == []


@pytest.mark.promise("fault D4")
def test_what_is_not_accepted_is_among_the_dead_letters(transport: Transport) -> None:
    party = transport.party(DETECTOR).open()
    party.publish("good")
    party.publish("bad")
    party.until(lambda: len(party.deliveries) == 2)

    party.acknowledge(party.deliveries[:1])
    party.acknowledge(party.deliveries[1:], accepted=False)

    party.turn(0.1)
    assert eventually(transport.dead_letters) == [b"bad"]
    party.broker.close()
    again = transport.again(party).open()
    again.turn()
    assert not again.deliveries


@pytest.mark.promise("fault P5")
def test_a_directed_message_for_a_queue_that_is_not_there_is_refused(transport: Transport) -> None:
    party = transport.party(DETECTOR).open()

    party.publish("1", queue="nobody")
    party.publish("1")
    party.until(party.all_told)

    assert [event_id for event_id, _ in party.refused] == ["1"]
    assert party.confirmed == ["1"]
    assert "queue" in party.refused[0][1]


@pytest.mark.promise("fault P5")
def test_a_full_queue_refuses_and_accepts_again_once_drained(transport: Transport) -> None:
    party = transport.party({"detector": (["snapshot.taken"], 1)}, max_length=5).open()

    for number in range(60):
        party.publish(str(number))
        party.until(party.all_told)
    assert party.refused
    assert len(party.confirmed) < 30
    assert "full" in party.refused[0][1]

    def drained() -> bool:
        party.acknowledge()
        return {each.body.decode() for each in party.deliveries} == set(party.confirmed)

    party.until(drained)

    def accepted() -> bool:
        party.publish("after")
        party.until(party.all_told)
        return "after" in party.confirmed

    party.until(accepted)


def test_closing_tells_the_fate_of_everything_and_may_be_repeated(transport: Transport) -> None:
    party = transport.party(DETECTOR).open()
    for number in range(300):
        party.publish(str(number))

    party.broker.close()
    assert party.all_told()
    party.broker.close()

    party.publish("late")
    party.broker.poll(0)
    assert party.all_told()
    assert party.refused[-1][0] == "late"


def test_closing_what_was_never_opened_does_nothing(transport: Transport) -> None:
    party = transport.party(DETECTOR)

    party.broker.close()
    party.broker.close()


@pytest.mark.promise("fault P2")
def test_publishing_before_the_connection_is_refused(transport: Transport) -> None:
    party = transport.party(DETECTOR)
    party.publish("early")

    party.open()
    party.until(party.all_told)

    assert [event_id for event_id, _ in party.refused] == ["early"]
