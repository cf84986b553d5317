"""Events as bytes and back: CloudEvents 1.0 in JSON, structured mode.

Source of the format: CloudEvents specification 1.0.2 and its JSON event format. Extension
attributes: ours ``snapshotid``, ``cause``, ``organisation`` (unless it is the default one) and
``repeated``; ``traceparent`` and ``baggage`` of distributed tracing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared import trace
from shared.errors import UndecodableMessage
from shared.events import ORGANISATION, Event

CONTENT_TYPE = "application/cloudevents+json"
MAX_BYTES = 16_384
"""Longer messages are refused on the way in; ours hold references and at most 100 detections."""

REPEATED = "repeated"
"""Extension attribute, true if the event may have been published before; a worker then looks up
whether it is done."""

_KNOWN = {
    "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data",
    "snapshotid", "cause", "traceparent", "baggage", "organisation",
}  # fmt: skip
# As many characters as the journal's columns take.
_LONGEST = {
    "id": 64, "source": 64, "type": 64, "subject": 64, "snapshotid": 26, "cause": 64,
    "traceparent": 64, "organisation": 64,
}  # fmt: skip


def to_dict(event: Event) -> dict[str, Any]:
    """The CloudEvents attributes of an event, as on the bus, in SSE and in the API."""
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source or "/snapbus",
        "type": event.topic,
        "subject": event.subject,
        "time": event.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": dict(event.data),
    }
    optional = {"snapshotid": event.snapshot_id, "cause": event.cause}
    optional |= {"traceparent": event.trace, "baggage": event.baggage}
    attributes.update({name: value for name, value in optional.items() if value})
    if event.organisation != ORGANISATION:
        attributes["organisation"] = event.organisation
    attributes.update(event.extra)
    return attributes


def encode(event: Event) -> bytes:
    """The bytes of one message."""
    return json.dumps(to_dict(event), separators=(",", ":"), ensure_ascii=False).encode()


def decode(body: bytes) -> Event:
    """The event in a message; raises UndecodableMessage, saying what is wrong with it."""
    if len(body) > MAX_BYTES:
        raise UndecodableMessage(f"message of {len(body)} bytes; at most {MAX_BYTES} are taken")
    try:
        raw = json.loads(body)
        # Infinities and halves of characters pass, but neither database nor broker takes them.
        json.dumps(raw, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise UndecodableMessage(f"not JSON: {error}") from error
    return from_dict(raw)


def from_dict(raw: Any) -> Event:
    """The event with these CloudEvents attributes; unknown ones travel along in ``extra``."""
    if not isinstance(raw, dict):
        raise UndecodableMessage("not a JSON object")
    if raw.get("specversion") != "1.0":
        raise UndecodableMessage(f"specversion is {raw.get('specversion')!r}, not '1.0'")
    for name in ("id", "source", "type"):
        if not isinstance(raw.get(name), str) or not raw[name]:
            raise UndecodableMessage(f"attribute {name!r} is missing or no text")
    for name in ("subject", "snapshotid", "cause", "traceparent", "organisation"):
        if not isinstance(raw.get(name, ""), str):
            raise UndecodableMessage(f"attribute {name!r} is no text")
    for name, most in _LONGEST.items():
        if len(raw.get(name, "")) > most or "\x00" in raw.get(name, ""):
            raise UndecodableMessage(f"attribute {name!r} is longer than {most} or has a NUL")
    if not isinstance(raw.get("data", {}), dict):
        raise UndecodableMessage("attribute 'data' is no object")
    return Event(
        id=raw["id"],
        topic=raw["type"],
        subject=raw.get("subject", ""),
        time=_time(raw.get("time")),
        data=raw.get("data", {}),
        source=raw["source"],
        snapshot_id=raw.get("snapshotid"),
        cause=raw.get("cause"),
        trace=raw.get("traceparent"),
        baggage=trace.carried(str(raw.get("baggage") or "")) or None,
        organisation=raw.get("organisation") or ORGANISATION,
        extra={name: value for name, value in raw.items() if name not in _KNOWN},
    )


def with_trace(body: bytes, headers: Mapping[str, Any]) -> bytes:
    """The message with the trace that its headers name, unless it says one itself: libraries that
    trace other programs know nothing of CloudEvents."""
    parent, baggage = (str(headers.get(name) or "") for name in ("traceparent", "baggage"))
    if b'"traceparent"' in body or len(body) > MAX_BYTES or not trace.trace_id(parent):
        return body
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        return body  # it is refused where it is read
    if not isinstance(raw, dict):
        return body
    return json.dumps({**raw, "traceparent": parent, "baggage": trace.carried(baggage)}).encode()


def _time(value: Any) -> datetime:
    try:
        time = datetime.fromisoformat(value)
        if time.tzinfo is None:
            raise UndecodableMessage(f"attribute 'time' has no zone: {value!r}")
        return time.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise UndecodableMessage(f"attribute 'time' is {value!r}, not RFC 3339") from error
