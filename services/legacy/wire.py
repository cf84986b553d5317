"""The old format: MessagePack maps as their library writes and reads them.

Text is ``str`` and bytes are ``bin``; a map begins with ``timestamp``, ISO 8601 in UTC with whole
seconds and a ``Z``. What comes is foreign: only the fields that are wanted are ever built, the rest
is skipped where it lies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgpack

from shared.errors import SnapbusError

MAX_BODY = 16_000_000
"""A trigger may carry the picture that caused it."""
MAX_FIELDS = 200
MAX_FIELD = 4_096
"""Bytes of one field that is read."""

_UNREADABLE = (
    msgpack.UnpackException, ValueError, TypeError, OverflowError, OSError, RecursionError,
)  # fmt: skip


class Unreadable(SnapbusError):
    """The bytes are no message of the old format."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """A picture is wanted of the camera that the sender calls so. ``params`` may say where it is,
    and hold its password; ``by`` is what caused it. ``traceparent`` and ``baggage`` are as
    they were sent: shared.trace takes what fits."""

    device_key: str
    device_label: str
    asked_at: datetime
    by: str = ""
    params: str = field(default="", repr=False)
    traceparent: str = ""
    baggage: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is told. ``detail`` is what was seen, if it was a person."""

    device_key: str
    device_label: str
    image: bytes
    taken_at: datetime
    storage_path: str
    detail: str = ""
    storage_url: str | None = None


def trigger(body: bytes) -> Trigger:
    """The trigger in a message. Raises Unreadable."""
    try:
        whole = _fields(body)
        output = _fields(whole["output_triggered"])
        cause = _fields(whole["active_input"]) if "active_input" in whole else {}
        return Trigger(
            device_key=_text(output, "device_key"),
            device_label=_text(output, "device_label") or _text(output, "device_key"),
            asked_at=_time(_value(whole["timestamp"])),
            by=_text(cause, "device_label") or _text(cause, "device_key"),
            params=_text(output, "device_params"),
            traceparent=_trace(whole, "traceparent"),
            baggage=_trace(whole, "baggage"),
        )
    except KeyError as error:
        raise Unreadable(f"the field {error} is missing") from None
    except _UNREADABLE as error:
        # Without its text, which may show what the fields hold.
        raise Unreadable(f"it is no MessagePack of the old form ({type(error).__name__})") from None


def told(picture: Picture, at: datetime, traceparent: str = "", baggage: str = "") -> bytes:
    """The message that tells of a picture. Who does not know its trace skips those fields."""
    device: dict[str, Any] = {
        "device_key": picture.device_key,
        "device_label": picture.device_label,
        "type": "camera",
        "image": picture.image,
        "image_timestamp": str(int(picture.taken_at.timestamp())),
        "storage_url": picture.storage_url,
        "storage_path": picture.storage_path,
    }
    if picture.detail:
        device["event_detail"] = picture.detail
    said = {"traceparent": traceparent, "baggage": baggage}
    trace = {name: text for name, text in said.items() if text}
    return _packed(at, {"inputs": [device], **trace})


def heartbeat(
    inputs: Sequence[Mapping[str, str]], outputs: Sequence[Mapping[str, str]], at: datetime
) -> bytes:
    """The message that says which devices are here."""
    return _packed(at, {"inputs": list(inputs), "outputs": list(outputs)})


def _packed(at: datetime, rest: Mapping[str, Any]) -> bytes:
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    packed: bytes = msgpack.packb({"timestamp": stamp, **rest}, use_bin_type=True)
    return packed


def _fields(raw: bytes | memoryview) -> dict[str, memoryview]:
    """The fields of a map, not unpacked."""
    raw = memoryview(raw)
    unpacker = msgpack.Unpacker(None, max_buffer_size=MAX_BODY)
    unpacker.feed(raw)
    found = {}
    count = unpacker.read_map_header()
    if count > MAX_FIELDS:
        raise ValueError("too many fields")
    for _ in range(count):
        key = _value(_skipped(unpacker, raw))
        value = _skipped(unpacker, raw)
        if isinstance(key, str):
            found[key] = value
    return found


def _skipped(unpacker: Any, raw: memoryview) -> memoryview:
    start = unpacker.tell()
    unpacker.skip()
    return raw[start : unpacker.tell()]


def _value(raw: memoryview) -> Any:
    if len(raw) > MAX_FIELD:
        raise ValueError("too long a field")
    return msgpack.unpackb(raw, raw=False, unicode_errors="replace", strict_map_key=False)


def _text(fields: Mapping[str, memoryview], name: str) -> str:
    value = _value(fields[name]) if name in fields else None
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")
    return value


def _trace(fields: Mapping[str, memoryview], name: str) -> str:
    """What is no text, or too long, is dropped: no trace is worth a picture."""
    try:
        return _text(fields, name)
    except _UNREADABLE:
        return ""


def _time(value: Any) -> datetime:
    """Seconds since 1970, or text as in our own messages."""
    if isinstance(value, str):
        read = datetime.fromisoformat(value)
        return read if read.tzinfo else read.replace(tzinfo=UTC)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("timestamp is no time")
    return datetime.fromtimestamp(value, UTC)
