"""Bodies that lie, end early or drip, stores and databases that fail: nothing half is told safe."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from services.api import server
from services.api.doors import body
from services.api.doors.captures import PIECE
from shared.errors import JournalUnavailable, StoreError, StoreFull
from shared.ingest import gathering
from shared.ingest.spool import Spool
from shared.store import Part
from tests.integration.test_api_bodies import resident
from tests.support.api import Answer
from tests.support.fakes import eventually
from tests.support.ftpdoor import reset
from tests.support.httpdoor import (
    ADDRESSES,
    KINDS,
    Doors,
    http_doors,
    request,
    snapshot_id,
    told,
)
from tests.support.making import picture
from tests.support.system import System

QUICK = {"upload_s": 60.0, "stall_s": 0.4, "bytes_a_second": 100_000}
WHOLE = base64.b64encode(picture(1))
"""A picture as JSON has it; what is refused although it is whole is refused for something else."""
LARGE = picture(1) + bytes(PIECE)
FIRST = PIECE // 4 * 3 - 1
"""So many of its bytes are a piece with its padding."""


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Doors that lose patience soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(body, "LINGER_S", 0.5)
        patch.setattr(server, "HEAD_SECONDS", 0.5)
        tree = {"api": {"doors": QUICK}}
        with http_doors(tmp_path_factory.mktemp("quick"), tree) as doors:
            yield doors


@pytest.fixture
def empty(quick: Doors) -> Iterator[Doors]:
    """The same, in which nothing may be kept."""
    yield quick
    eventually(quick.kept_nothing, message="nothing is kept")
    assert quick.api.announced == []


def capture(image: bytes, more: bytes = b'"x": 1') -> bytes:
    return b'{"device_id": "porch", "image_base64": "%b", %b}' % (image, more)


def whole(kind: str, data: bytes) -> bytes:
    return request(kind, data, "porch")[2]


@pytest.mark.promise("fault H2", "inv I14")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut", [socket.socket.close, reset])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_sender_that_goes_in_the_middle_has_brought_nothing(
    empty: Doors, kind: str, cut, chunked: bool
):
    sent = whole(kind, picture(1) + bytes(700_000))
    for part in (1, len(sent) // 2, len(sent) - 1):
        length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(sent)
        link = empty.link()
        link.sendall(empty.head(kind, length))
        piece = sent[:part]
        link.sendall(b"%x\r\n%b\r\n" % (part, piece) if chunked else piece)
        cut(link)


@pytest.mark.promise("fault H2", "inv I14")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("length", "sent", "status"),
    [
        (b"Content-Length: 300000000", b"", 413),
        (b"Content-Length: 300000000", b"x" * 3_000_000, 413),
        (b"Content-Length: 99999999999999999999999", b"", 400),
        (b"Content-Length: -2", b"", 400),
        (b"Content-Length: 2\r\nContent-Length: 5", b"", 400),
        (b"Content-Length: 20\r\nTransfer-Encoding: chunked", b"", 400),
        (b"Content-Length: 2000", b"{", 408),
        (b"Transfer-Encoding: chunked", b"zz\r\n{}", 400),
        (b"Transfer-Encoding: chunked", b"2\r\n{}\r\n", 408),
        (b"X: no length at all", b"", 411),
        (b"Content-Length: 20\r\nContent-Encoding: gzip", b"x" * 20, 415),
    ],
    ids=range(11),
)
def test_a_body_that_lies_about_its_length_is_refused(
    empty: Doors, kind: str, length: bytes, sent: bytes, status: int
):
    with empty.link() as link:
        with contextlib.suppress(ConnectionError):
            link.sendall(empty.head(kind, length, b"Connection: close") + sent)
        code, answer = told(link)
    if kind == "form" and status == 408:
        status = 400  # two braces are no form, however slowly they come
    assert code == status, answer


@pytest.mark.promise("fault H2", "sec B4")
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_too_large_is_refused_before_a_byte_is_sent(empty: Doors, kind: str):
    with empty.link() as link:
        link.sendall(empty.head(kind, b"Content-Length: 50000000", b"Expect: 100-continue"))
        assert link.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.promise("fault H2", "inv I17")
@pytest.mark.parametrize("kind", KINDS)
def test_what_grows_too_large_is_refused_at_the_limit(empty: Doors, kind: str):
    """The limit of these tests is 5 MB; the sender would go on for ever."""
    start = whole(kind, picture(1)[:-2])[: 200 if kind == "capture" else 80]
    start = start if kind != "form" else whole(kind, b"\xff\xd8\xff\xda\x00\x02")[:-20]
    with empty.link() as link:
        link.sendall(empty.head(kind, b"Transfer-Encoding: chunked", b"Connection: close"))
        with contextlib.suppress(ConnectionError):
            link.sendall(b"%x\r\n%b\r\n" % (len(start), start))
            for _ in range(120):
                link.sendall(b"10000\r\n" + b"A" * 65_536 + b"\r\n")
        assert told(link)[0] == 413


@pytest.mark.promise("fault H3", "sec B5")
@pytest.mark.parametrize("kind", KINDS)
def test_who_sends_nothing_or_drips_is_cut_off(empty: Doors, kind: str):
    silent = empty.link()
    silent.sendall(empty.head(kind, b"Content-Length: 200000"))
    assert silent.recv(100).startswith(b"HTTP/1.1 408")
    silent.close()
    with empty.link() as link:
        link.sendall(empty.head(kind, b"Content-Length: 200000"))
        began, data = time.monotonic(), whole(kind, picture(1) + bytes(190_000))

        def dripped() -> bool:
            try:
                link.sendall(data[:10])
            except ConnectionError:
                return True
            return False

        eventually(dripped, timeout=30)  # cut off although a byte always comes in time
        assert time.monotonic() - began < 30


@pytest.mark.promise("fault H3", "sec B5")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("upload_s", "stall_s"), [(0.6, 30.0), (30.0, 0.6)], ids=["all", "stall"])
def test_who_is_never_done_is_cut_off_in_the_end(
    tmp_path: Path, kind: str, upload_s: float, stall_s: float
):
    """Either by the time of all, or because nothing came for a while after two megabytes."""
    patience = {"upload_s": upload_s, "stall_s": stall_s, "bytes_a_second": 1}
    with http_doors(tmp_path, {"api": {"doors": patience}}) as doors, doors.link() as link:
        link.sendall(doors.head(kind, b"Content-Length: 4000000", b"Connection: close"))
        link.sendall(whole(kind, picture(1) + bytes(3_000_000))[:2_000_000])
        assert link.recv(100).startswith(b"HTTP/1.1 408")
        assert doors.kept_nothing()


@pytest.mark.promise("fault H3", "sec B5")
def test_slow_senders_by_the_hundred_delay_nobody(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(server, "HEAD_SECONDS", 1.0)
    with http_doors(tmp_path, {"api": {"doors": {**QUICK, "stall_s": 1.0}}}) as doors:
        head = doors.head("put", b"Content-Length: 200000", camera="yard")
        links = [doors.link() for _ in range(300)]
        for number, link in enumerate(links):
            link.sendall(head[:40] if number % 3 else head + b"\xff\xd8")
        began = time.monotonic()
        answer = doors.send("put", picture(1))
        assert answer.status == 201 and time.monotonic() - began < 10
        answers = {link.recv(12)[9:] for link in links}
        for link in links:
            link.close()
        # Over sixteen at once are refused; the others have their time, and heads have theirs.
        assert answers == {b"", b"429", b"408"}


@pytest.mark.promise("fault H4")
@pytest.mark.parametrize(
    "sent",
    [
        b"", b"{", b"null", b"[]", b" " * 6_000_000, b"[" * 10_000, b'{"a":' * 10_000,
        b'{"device_id": "porch"}', b'{"device_id": 7, "image_base64": "AAAA"}',
        capture(WHOLE[:-1]), capture(WHOLE + b"=="), capture(WHOLE + b"====AAAA"),
        capture(WHOLE[:40] + b"*" + WHOLE[40:]), capture(WHOLE[:40] + b"=" + WHOLE[40:]),
        capture(WHOLE[:40] + b"\xc3\xa4" + WHOLE[40:]), capture(WHOLE + b"\xff"),
        capture(WHOLE + b"\\ud800"), capture(b"/9j/"),
        b'{"device_id": "porch", "image_base64": NaN}',
        capture(WHOLE, b'"metadata": {"a": NaN}'), capture(WHOLE, b'"metadata": {"a": 1e999}'),
        capture(WHOLE, b'"metadata": {"a": "\\u0000"}'),
        capture(WHOLE, b'"metadata": {"a": "\\ud800"}'), capture(WHOLE, b'"metadata": [1]'),
        capture(WHOLE, b'"captured_at": "yesterday"'), capture(WHOLE, b'"trigger_id": 7'),
        capture(WHOLE, b'"metadata": {"a": "%b"}' % (b"x" * 9000)),
        capture(WHOLE, b'"metadata": ' + b'{"a":' * 500 + b"1" + b"}" * 500),
        capture(WHOLE, b'"device_id": "nobody"'), capture(WHOLE, b'"device_id": "../porch"'),
        capture(WHOLE) + b"x",
        capture(base64.b64encode(LARGE[:FIRST]) + base64.b64encode(LARGE[FIRST:])),
    ],
    ids=range(32),
)  # fmt: skip
def test_captures_that_make_no_sense_are_refused_in_words(empty: Doors, sent: bytes):
    answer = empty.api.ask(
        "/v1/captures", "POST", sent, **empty.headers(), Content_Type="application/json"
    )
    assert 400 <= answer.status < 500, answer.body
    assert answer.json["detail"] and "Traceback" not in answer.body.decode()


@pytest.mark.promise("fault H4")
def test_of_equal_names_the_last_counts_and_lines_do_not_matter(tmp_path: Path):
    text = base64.encodebytes(picture(1)).decode()
    sent = '{"device_id": "nobody", "image_base64": "x", "image_base64": %s, "device_id": "porch"}'
    with http_doors(tmp_path) as doors:
        for image in (text, f"data:image/jpeg;base64,{text}"):
            written = (sent % json.dumps(image)).encode()
            answer = doors.api.ask(
                "/v1/captures", "POST", written, **doors.headers(), Content_Type="application/json"
            )
            assert answer.status == 201, answer.body


@pytest.mark.promise("fault H2", "fault H4")
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"--x\r\n" * 100, 400),
        (b"--x\r\nA: b\r\n\r\nv\r\n" * 30 + b"--x--\r\n", 413),
        (b"--x\r\n" + b"A: b\r\n" * 100 + b"\r\nv\r\n--x--\r\n", 400),
        (b"--x\r\nA: " + b"b" * 100_000 + b"\r\n\r\nv\r\n--x--\r\n", 400),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"v" * 5000, 413),
        (b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n\r\n--x--', 400),
        (b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n\xff', 400),
        (b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
         + picture(1) + b'\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="g"'
         b"\r\n\r\n" + picture(2) + b"\r\n--x--\r\n", 422),
    ],
    ids=range(8),
)  # fmt: skip
def test_forms_that_make_no_sense_are_refused_in_words(empty: Doors, sent: bytes, status: int):
    kind = "multipart/form-data; boundary=x"
    answer = empty.api.ask("/api/snapshots", "POST", sent, **empty.headers(), Content_Type=kind)
    assert (answer.status, bool(answer.json["error"])) == (status, True), answer.body


@pytest.mark.promise("feat L3", "inv I14")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", None), (b"\xff", 415), (b"<html>login</html>", 415), (b"GIF89a" + bytes(5000), 415),
        (picture(1)[:-2], 422), (b"\xff\xd8\xff", 422), (b"\x89PNG\r\n\x1a\n" + bytes(99), 422),
    ],
    ids=range(7),
)  # fmt: skip
def test_what_is_no_whole_picture_is_refused(
    empty: Doors, kind: str, data: bytes, status: int | None
):
    answer = empty.send(kind, data)
    if not data:  # each says in its own way that nothing came
        assert answer.status == (400 if kind == "form" else 422)
    else:
        assert answer.status == status, answer.body
    assert answer.json["detail" if answer.status != 400 else "error"]


@pytest.mark.promise("fault H2", "inv I17")
@pytest.mark.parametrize("kind", KINDS)
def test_endless_bodies_do_not_fill_the_memory(tmp_path: Path, kind: str):
    with contextlib.closing(System(tmp_path, {"cameras": {"porch": {}}})) as system:
        system.start("api")
        before = resident(system.pid("api"))
        method, path, start, own = request(kind, b"\xff\xd8\xff\xda\x00\x02" + bytes(900), "porch")
        start = start[: start.rindex(b"\x00" if kind != "capture" else b"AA")]
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in own.items()]
        with socket.create_connection(("127.0.0.1", system.api_port), timeout=10) as link:
            link.sendall("\r\n".join([*lines, "", ""]).encode())
            with contextlib.suppress(ConnectionError):
                link.sendall(b"%x\r\n%b\r\n" % (len(start), start))
                for _ in range(100):
                    link.sendall(b"100000\r\n" + b"A" * (1 << 20) + b"\r\n")
        assert system.get("/v1/health/live")
        assert resident(system.pid("api")) - before < 25_000


@pytest.mark.promise("fault H5")
@pytest.mark.parametrize("kind", KINDS)
def test_without_a_database_known_cameras_are_taken_and_strangers_are_told_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
):
    def away(*_: object, **__: object) -> None:
        raise JournalUnavailable("away")

    with http_doors(tmp_path) as doors:
        assert doors.send(kind, picture(1)).status < 300
        journal = doors.api.context.journal
        with monkeypatch.context() as broken:
            for part, name in (
                (type(journal), "record_snapshots"), (type(journal), "holders"),
                (type(journal.read), "snapshots_of"),
            ):  # fmt: skip
                broken.setattr(part, name, away)
            broken.setattr("shared.journal.owned.Owned.get", away)
            broken.setattr("shared.access.known.FRESH_S", -1.0)  # as if that was a while ago
            answer = doors.send(kind, picture(2), Idempotency_Key="k")
            assert answer.status == (202 if kind == "form" else 201), answer.body
            stranger = doors.send(kind, picture(3), "yard")
            assert stranger.status == 503 and int(stranger.headers["retry-after"]) > 0
        assert len(Spool(doors.api.context.store)) == 1
        (waiting,) = Spool(doors.api.context.store)
        assert waiting.taken.snapshot_id == snapshot_id(answer)
        assert len(doors.rows()) == 1


@pytest.mark.promise("fault H5")
def test_a_locked_database_holds_up_nobody_else(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("shared.journal.database.BUSY_S", 6.0)
    with (
        http_doors(tmp_path) as doors,
        contextlib.closing(sqlite3.connect(tmp_path / "snapbus.db", isolation_level=None)) as other,
    ):
        assert doors.send("put", picture(0)).status == 201
        other.execute("BEGIN EXCLUSIVE")
        answers: list[Answer] = []
        began = time.monotonic()
        sender = threading.Thread(target=lambda: answers.append(doors.send("put", picture(1))))
        sender.start()
        assert doors.api.ask("/v1/health/live").status == 200
        assert time.monotonic() - began < 5
        sender.join(20)
        assert answers[0].status == 201
        assert len(Spool(doors.api.context.store)) == 1
        other.execute("ROLLBACK")


@pytest.mark.promise("fault F9")
@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_can_not_take_it_refuses(tmp_path: Path, monkeypatch, kind: str):
    with http_doors(tmp_path) as doors:
        for error, code in ((StoreFull("full"), 507), (StoreError("I/O error"), 503)):
            for step in ("receive", "write", "sync"):
                with monkeypatch.context() as broken:
                    of = doors.api.context.store if step == "receive" else Part
                    broken.setattr(of, step, Mock(side_effect=error))
                    answer = doors.send(kind, picture(1))
                    assert answer.status == code, (step, answer.body)
                    assert ("retry-after" in answer.headers) == (code == 503)
                assert doors.kept_nothing(), step
        assert doors.send(kind, picture(1)).status < 300
        assert len(doors.rows()) == 1


@pytest.mark.promise("inv I1")
def test_a_bug_while_storing_is_no_acknowledgement_and_no_end(tmp_path, monkeypatch, caplog):
    def bug(*_: object) -> None:
        raise ZeroDivisionError

    with http_doors(tmp_path) as doors:
        with monkeypatch.context() as broken:
            broken.setattr(Part, "sync", bug)
            assert doors.send("put", picture(1)).status == 500
        assert doors.kept_nothing()
        assert doors.send("put", picture(2)).status == 201
    assert "ZeroDivisionError" in caplog.text


def test_an_upload_whose_turn_comes_too_late_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(gathering, "LONGEST_WAIT_S", -1.0)
    with http_doors(tmp_path) as doors:
        answer = doors.send("put", picture(1))
        assert answer.status == 503 and answer.headers["retry-after"]
        assert doors.kept_nothing()


@pytest.mark.promise("sec B4")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("quota", ["pictures_a_day", "bytes_a_day"])
def test_a_camera_over_its_quota_is_refused_and_others_are_not(
    tmp_path: Path, kind: str, quota: str
):
    most = 2 if quota == "pictures_a_day" else int(2.6 * len(picture(1)))
    cameras = {"porch": {"http": {"quota": {quota: most}}}, "yard": {}}
    with http_doors(tmp_path, {"cameras": cameras}) as doors:
        for number in (0, 0, 1):  # a repeat costs nothing
            assert doors.send(kind, picture(number), Idempotency_Key=f"{number}").status < 300
        answer = doors.send(kind, picture(9))
        assert (answer.status, answer.json["type"]) == (429, "urn:snapbus:problem:over-quota")
        assert "cameras.porch.http.quota" in answer.json["detail"]
        assert 0 < int(answer.headers["retry-after"]) <= 86_401
        assert doors.send(kind, picture(9), "yard").status < 300


@pytest.mark.promise("sec B4")
def test_a_key_that_is_used_too_often_is_refused(tmp_path: Path):
    with http_doors(tmp_path, rate=3) as doors:
        answers = [doors.send("put", picture(number)) for number in range(5)]
        assert [each.status for each in answers] == [201] * 3 + [429] * 2
        assert int(answers[-1].headers["retry-after"]) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_sender_that_only_sends_reads_why_it_is_refused(quick: Doors, kind: str):
    """It has said `Connection: close`, and writes all it has before it reads."""
    sent = b"Content-Length: 6000000"
    with quick.link() as link:
        link.sendall(
            quick.head(kind, sent, b"Connection: close")
            if kind != "capture"
            else quick.head(kind, b"Content-Length: 9000000", b"Connection: close")
        )
        for _ in range(90):
            link.sendall(bytes(65_536))
        code, answer = told(link)
    assert (code, b'"detail"' in answer) == (413, True), ADDRESSES[kind]
