"""The old format: written byte for byte, and read from strangers within limits."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.legacy import wire
from services.legacy.address import address
from shared.settings.told import Told, recall, remember

AT = datetime(2026, 3, 1, 12, 0, 7, 900_000, tzinfo=UTC)
PRIVATE = ("192.168.0.0/16", "fd00::/8")


def packed(output: Any = None, **fields: Any) -> bytes:
    output = {"device_key": "Gate Camera"} if output is None else output
    whole = {"timestamp": 1_700_000_000, "output_triggered": output} | fields
    body: bytes = msgpack.packb(whole, use_bin_type=True)
    return body


@pytest.mark.promise("feat D2")
def test_a_picture_is_written_as_the_old_programs_write_it() -> None:
    picture = wire.Picture("Gate Camera", "Gate", b"\xff\xd8", AT, "/data/ftp/x.jpg")

    # A map of two, a string of nine, ...: bytes are bin, everything else is str or nil.
    assert wire.told(picture, AT) == (
        b"\x82\xa9timestamp\xb42026-03-01T12:00:07Z\xa6inputs\x91\x87"
        b"\xaadevice_key\xabGate Camera\xacdevice_label\xa4Gate\xa4type\xa6camera"
        b"\xa5image\xc4\x02\xff\xd8\xafimage_timestamp\xaa1772366407"
        b"\xabstorage_url\xc0\xacstorage_path\xaf/data/ftp/x.jpg"
    )


@pytest.mark.promise("feat D10")
def test_a_trace_stands_behind_what_the_old_programs_write() -> None:
    picture = wire.Picture("Gate Camera", "Gate", b"\xff\xd8", AT, "/data/ftp/x.jpg")
    parent, plain = f"00-{1:032x}-{2:016x}-01", wire.told(picture, AT)

    traced = wire.told(picture, AT, parent, "a=b")
    assert plain[0] == 0x82 and traced[0] == 0x84
    assert traced[1:] == plain[1:] + (
        b"\xabtraceparent\xd9\x37" + parent.encode() + b"\xa7baggage\xa3a=b"
    )


def test_what_a_trigger_says_is_read() -> None:
    output = {"device_key": "Gate Camera", "device_params": "a:b@c", "device_enabled": True}
    cause = {"device_label": "Hall", "image": bytes(100_000), "timestamp": 5, "nested": [[{}]]}
    read = wire.trigger(packed(output, active_input=cause, traceparent="00-…", more={1: 2}))

    assert (read.device_key, read.device_label, read.params, read.by) == (
        "Gate Camera", "Gate Camera", "a:b@c", "Hall",
    )  # fmt: skip
    assert read.asked_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert "a:b@c" not in repr(read)


@pytest.mark.parametrize("said", [1_700_000_000, 1_700_000_000.0, "2023-11-14T22:13:20Z"])
def test_its_time_may_be_a_number_or_text(said: object) -> None:
    assert wire.trigger(packed(timestamp=said)).asked_at.timestamp() == 1_700_000_000


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "MessagePack"),
        (b'{"json": 1}', "MessagePack"),
        (msgpack.packb([1]), "MessagePack"),
        (msgpack.packb({"timestamp": 1}), "'output_triggered' is missing"),
        (msgpack.packb({"output_triggered": {}}), "'timestamp' is missing"),
        (packed(output=[]), "MessagePack"),
        (packed(output={"device_key": 5}), "MessagePack"),
        (packed(timestamp=True), "MessagePack"),
        (packed(timestamp=10**19), "MessagePack"),
        (packed(timestamp=float("nan")), "MessagePack"),
        (packed(timestamp="soon"), "MessagePack"),
        (packed(output={"device_key": "x" * 5_000}), "MessagePack"),
        (packed(**{f"f{n}": n for n in range(300)}), "MessagePack"),
        (packed()[:-3], "MessagePack"),
        (b"\x81\xa9timestamp" + b"\x91" * 100_000 + b"\xc0", "MessagePack"),
        (bytes(wire.MAX_BODY + 1), "MessagePack"),
    ],
)
def test_what_is_none_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(wire.Unreadable, match=why):
        wire.trigger(body)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(body: bytes) -> None:
    try:
        wire.trigger(body)
    except wire.Unreadable:
        return


@pytest.mark.promise("inv I17")
def test_a_small_message_of_many_things_builds_none_of_them() -> None:
    row = b"\xdd" + (10_000).to_bytes(4, "big") + b"\x80" * 10_000  # 10,000 empty maps
    body = packed(bomb=0)[:-1] + b"\xdd" + (100).to_bytes(4, "big") + row * 100
    tracemalloc.start()
    try:
        assert wire.trigger(body).device_key == "Gate Camera"
        assert tracemalloc.get_traced_memory()[1] < 10 * len(body)
    finally:
        tracemalloc.stop()


@pytest.mark.promise("feat A5")
@pytest.mark.parametrize(
    ("params", "told"),
    [
        ("admin:pw@192.168.1.2:88", Told("192.168.1.2", 88, "admin", "pw")),
        ("admin:p@s:s,w,@192.168.1.2:88,554", Told("192.168.1.2", 88, "admin", "p@s:s,w,")),
        (" a:@192.168.1.2:88 ", Told("192.168.1.2", 88, "a", "")),
        ("a:&#%+/ä @[fd00::2]:88", Told("fd00::2", 88, "a", "&#%+/ä ")),
    ],
)
def test_an_address_is_read_from_its_right_end(params: str, told: Told) -> None:
    assert address(params, PRIVATE) == told


@pytest.mark.parametrize(
    "params",
    [
        "", "pass-word", "user@192.168.1.2:88", "u:pass-word@192.168.1.2", "u:pass-word@cam:88",
        "u:pass-word@192.168.1.2:0", "u:pass-word@192.168.1.2:99999", "u:pass-word@:88",
        "u:pass-word@169.254.169.254:80", "u:pass-word@127.0.0.1:80", "u:pass-word@8.8.8.8:80",
        "u:pass-word@192.168.1.2:8 8", "u:pass-word@192.168.1.2:٨", "u:pass-word@0x7f.1:80",
    ],
)  # fmt: skip
def test_an_address_elsewhere_or_none_is_refused_without_its_password(params: str) -> None:
    with pytest.raises(ValueError) as caught:
        address(params, PRIVATE)
    assert "pass-word" not in str(caught.value)


@pytest.mark.promise("inv I16")
def test_an_address_is_kept_where_only_we_read_it(tmp_path) -> None:
    file = tmp_path / "told/gate.json"
    told = Told("192.168.1.2", 88, "admin", "pass-word")

    assert (recall(file), remember(file, told), remember(file, told)) == (None, True, False)
    assert recall(file) == told
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "pass-word" not in repr(told)
    file.write_text("{")
    assert recall(file) is None
