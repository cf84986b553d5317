"""CloudEvents there and back, and what is refused on the way in."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.envelope import MAX_BYTES, decode, encode, to_dict
from shared.errors import UndecodableMessage
from tests.support.making import analyzed, taken

GOOD = {
    "specversion": "1.0",
    "id": "1",
    "source": "/elsewhere",
    "type": "snapshot.taken",
    "subject": "porch",
    "time": "2026-03-01T12:00:00Z",
    "data": {},
}


def body(**changes) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def test_an_event_comes_back_as_it_was():
    event = replace(analyzed(taken(1), "person", "cat"), source="/snapbus/detector", trace="00-a-b")
    assert decode(encode(event)) == event


def test_the_attributes_are_those_of_cloudevents():
    told = to_dict(analyzed(taken(1)))
    assert told["specversion"] == "1.0"
    assert told["type"] == "snapshot.analyzed"
    assert told["source"] == "/snapbus"
    assert told["time"].endswith("Z")
    assert told["snapshotid"] == "1".zfill(26)
    assert told["cause"] == taken(1).id
    # Names of extension attributes are lower-case letters and digits (CloudEvents 1.0.2, 3.1).
    assert all(name.isalnum() and name.islower() for name in told)


def test_unknown_attributes_travel_along():
    event = decode(body(tenant="a", partitionkey="7"))
    assert event.extra == {"tenant": "a", "partitionkey": "7"}
    assert decode(encode(event)) == event


def test_a_time_in_another_zone_is_the_same_time():
    event = decode(body(time="2026-03-01T14:00:00+02:00"))
    assert event.time == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert event.time.tzinfo is UTC


@pytest.mark.promise("fault D4")
@pytest.mark.parametrize(
    ("message", "what"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 9000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"a":NaN}', "not JSON"),
        (body(data={"a": 1}).replace(b"1}", b"1e999}"), "not JSON"),
        (body(subject="\ud800"), "not JSON"),
        (body(specversion="0.3"), "specversion"),
        (body(specversion=None), "specversion"),
        (body(id=""), "'id'"),
        (body(id=5), "'id'"),
        (body(source=None), "'source'"),
        (body(type=None), "'type'"),
        (body(subject=7), "'subject'"),
        (body(subject="x" * 65), "'subject' is longer than 64"),
        (body(snapshotid="x" * 27), "'snapshotid'"),
        (body(subject="a\x00b"), "NUL"),
        (body(cause=None), "'cause'"),
        (body(data=[]), "'data'"),
        (body(time=None), "'time'"),
        (body(time=5), "'time'"),
        (body(time="yesterday"), "'time'"),
        (body(time="2026-03-01T12:00:00"), "no zone"),
        (body(time="0001-01-01T00:00:00+14:00"), "'time'"),
        (body(data={"a": "x" * MAX_BYTES}), "at most"),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(message: bytes, what: str):
    with pytest.raises(UndecodableMessage, match=what):
        decode(message)
