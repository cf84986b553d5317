"""Confirms in any order are counted right."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from shared.bus.broker import Message
from shared.bus.rabbit.confirms import Confirms, Sent


def sending(count: int, size: int = 10) -> Confirms:
    window = Confirms(size, backlog=100)
    for number in range(1, count + 1):
        assert window.offer(Message(str(number), "snapshot.taken", b""))
    while window.next(now=0.0):
        pass
    return window


def ids(sent: Iterable[Sent]) -> list[str]:
    return [each.message.event_id for each in sent]


@pytest.mark.promise("fault P7")
def test_one_confirm_stands_for_all_before_it() -> None:
    window = sending(6)

    assert ids(window.answered(2, multiple=False)) == ["2"]
    assert ids(window.answered(4, multiple=True)) == ["1", "3", "4"]
    assert ids(window.answered(4, multiple=True)) == []
    assert ids(window.answered(3, multiple=False)) == []
    assert ids(window.answered(6, multiple=True)) == ["5", "6"]
    assert not window


@pytest.mark.promise("fault P7")
def test_confirms_come_in_any_order() -> None:
    window = sending(3)

    assert [ids(window.answered(tag, multiple=False)) for tag in (3, 1, 2)] == [["3"], ["1"], ["2"]]


def test_no_more_than_the_window_is_under_way_and_the_rest_waits() -> None:
    window = sending(15, size=10)

    assert len(window) == 15
    window.answered(3, multiple=True)
    assert [message.event_id for message in iter(lambda: window.next(0.0), None)] == [
        "11",
        "12",
        "13",
    ]
    assert ids(window.answered(13, multiple=True))[-1] == "13"


def test_a_full_backlog_takes_nothing_more() -> None:
    window = Confirms(1, backlog=2)

    taken = [window.offer(Message(str(number), "snapshot.taken", b"")) for number in range(3)]

    assert taken == [True, True, False]


def test_a_returned_message_is_told_by_its_own_target() -> None:
    window = Confirms(10, backlog=10)
    window.offer(Message("1", "snapshot.taken", b""))
    window.offer(Message("1", "snapshot.taken", b"", queue="drive"))
    while window.next(0.0):
        pass

    window.returned("1", "drive", "NO_ROUTE")

    topic, directed = window.answered(2, multiple=True)
    assert (topic.returned, directed.returned) == ("", "NO_ROUTE")


def test_what_has_no_answer_for_too_long_is_taken_out_once() -> None:
    window = sending(2)
    window.offer(Message("3", "snapshot.taken", b""))
    window.next(now=5.0)

    assert ids(window.expired(before=5.0)) == ["1", "2"]
    assert ids(window.expired(before=5.0)) == []
    assert ids(window.answered(3, multiple=True)) == ["3"]


def test_draining_gives_back_everything_and_begins_anew() -> None:
    window = sending(12, size=10)

    assert len(list(window.drain())) == 12
    assert not window
    window.offer(Message("x", "snapshot.taken", b""))
    assert window.next(0.0)
    assert ids(window.answered(1, multiple=False)) == ["x"]
