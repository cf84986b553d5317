"""The trace of a picture: made at the door, and the same to the last effect."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from io import StringIO

import pytest

from shared import log, trace
from shared.envelope import MAX_BYTES, decode, encode, with_trace
from shared.events import SnapshotRequested
from shared.trace import LONGEST_BAGGAGE, carried, step, trace_id, within
from tests.support.making import analyzed, taken
from tests.support.recording import archived

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def requested(cause: str = "by hand"):
    data = SnapshotRequested(camera="porch", reason="manual")
    return data.event(subject="porch", cause=cause)


@pytest.mark.promise("feat D10")
def test_the_first_event_begins_a_trace_that_all_that_follow_belong_to():
    first = taken(1)
    second = analyzed(first, "cat")
    third = archived(second)

    traces = [trace_id(each.trace or "") for each in (first, second, third)]
    assert len(traces[0]) == 32
    assert set(traces) == {traces[0]}
    assert len({each.trace for each in (first, second, third)}) == 3  # a step of its own each
    assert trace_id(taken(2).trace or "") != traces[0]
    assert analyzed(first, "cat").trace == second.trace  # made twice, it is the same


@pytest.mark.promise("feat D10")
def test_a_trace_from_outside_is_gone_on_with_and_its_baggage_kept():
    with within(PARENT, "house=7,room=hall;q=1"):
        event = requested()
    assert trace_id(event.trace or "") == TRACE
    assert (event.trace or "")[36:] != PARENT[36:]  # another step of it
    follower = analyzed(replace(taken(1), trace=event.trace, baggage=event.baggage))
    again = decode(encode(follower))
    assert (trace_id(again.trace or ""), again.baggage) == (TRACE, "house=7,room=hall;q=1")
    assert trace.current() == ("", "")


@pytest.mark.promise("feat D10")
@pytest.mark.parametrize(
    "odd",
    [
        "", "x", PARENT.upper(), PARENT[:-1], PARENT + "-00", "ff" + PARENT[2:],
        PARENT.replace(TRACE, "0" * 32), PARENT.replace("00f067aa0ba902b7", "0" * 16),
        PARENT + "\n", "00-" + "g" * 32 + PARENT[35:],
    ],
)  # fmt: skip
def test_what_is_no_trace_begins_a_new_one(odd: str):
    with within(odd):
        event = requested()
    assert trace_id(event.trace or "") == event.id.replace("-", "")
    assert trace_id(step("an id of another program", odd)) != ""


@pytest.mark.promise("feat D10")
@pytest.mark.parametrize(
    ("baggage", "kept"),
    [
        ("a=1", True),
        ("userId=Am%C3%A9lie,serverNode=DF%2028,isProduction=false", True),
        ("k = v ; p = 1 , b=2", True),
        ("no member", False),
        ("a=1\r\nX: y", False),
        ("a=\u00e4", False),
        (f"a={'x' * LONGEST_BAGGAGE}", False),
    ],
)
def test_baggage_is_kept_unless_it_is_none_or_too_long(baggage: str, kept: bool):
    assert carried(baggage) == (baggage if kept else "")


@pytest.mark.promise("feat D10")
def test_headers_of_a_message_name_the_trace_where_the_event_does_not():
    event = replace(requested(), trace=None, source="/home")
    headers = {"traceparent": PARENT, "baggage": "a=1"}

    found = decode(with_trace(encode(event), headers))

    assert (found.trace, found.baggage) == (PARENT, "a=1")
    own = encode(replace(event, trace=step("own")))
    assert with_trace(own, headers) == own
    for body in (b"no json", b"[]", b"x" * (MAX_BYTES + 1)):
        assert with_trace(body, headers) == body
    assert with_trace(encode(event), {"traceparent": 7}) == encode(event)


def test_an_event_with_endless_baggage_is_taken_without_it():
    raw = json.loads(encode(requested())) | {"source": "/home", "baggage": "a=" + "x" * 5000}
    assert decode(json.dumps(raw).encode()).baggage is None


@pytest.mark.promise("feat D10")
def test_lines_of_the_log_name_the_trace_of_what_is_worked_on():
    stream, root = StringIO(), logging.getLogger()
    before = root.handlers[:], root.level
    try:
        log.set_up("info", "json", stream=stream)
        with within(PARENT):
            logging.getLogger("services.drive").info("filed")
        logging.getLogger("services.drive").info("idle")
    finally:
        root.handlers[:], root.level = before
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line.get("trace_id") for line in lines] == [TRACE, None]
