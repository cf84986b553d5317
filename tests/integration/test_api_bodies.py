"""Requests that are cut, lie about their length, never end or make no sense: refused in words."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.api import guard, server
from tests.support.api import Api, running_api
from tests.support.fakes import eventually
from tests.support.ftpdoor import reset
from tests.support.system import System

HEAD = (
    b"POST /v1/cameras/porch/snapshots HTTP/1.1\r\n"
    b"Host: localhost\r\nContent-Type: application/json\r\n"
)
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.4)
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.8)
    with running_api(tmp_path) as running:
        yield running


def connected(api: Api) -> socket.socket:
    return socket.create_connection(("127.0.0.1", api.port), timeout=10)


def told(link: socket.socket) -> str:
    """The status of the answer; reads until the server hangs up."""
    answer = b""
    with contextlib.suppress(ConnectionError):
        while piece := link.recv(65_536):
            answer += piece
    return answer.split(b" ", 2)[1].decode() if answer else ""


@pytest.mark.promise("fault H2", "inv I14")
@pytest.mark.parametrize("cut", [socket.socket.close, reset])
@pytest.mark.parametrize(
    "sent", [b"Content-Length: 20\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n4\r\n{"]
)
def test_a_client_that_goes_in_the_middle_has_asked_for_nothing(api: Api, sent: bytes, cut):
    for _ in range(20):
        link = connected(api)
        link.sendall(HEAD + sent)
        cut(link)
    assert api.ask("/v1/snapshots").status == 200
    assert api.announced == []
    assert api.post("/v1/cameras/porch/snapshots").status == 202


@pytest.mark.promise("fault H2", "inv I14")
@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (HEAD + b"Content-Length: 300000000\r\n\r\n{", "413"),
        (HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n{", "400"),
        (HEAD + b"Content-Length: -2\r\n\r\n{}", "400"),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}", "400"),
        (HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", "400"),
        (HEAD + b"Content-Length: 20\r\n\r\n{}", "408"),
        (CHUNKED + b"zz\r\n{}", "400"),
        (CHUNKED + b"2\r\n{}\r\n", "408"),
        (CHUNKED + b"11000\r\n" + b" " * 0x11000, "413"),
        (CHUNKED + b"2;" + b"x" * 500_000, "408"),
    ],
    ids=range(10),
)
def test_a_body_that_lies_about_its_length_is_refused(api: Api, request_: bytes, status: str):
    with connected(api) as link:
        with contextlib.suppress(ConnectionError):
            link.sendall(request_)
        assert told(link) == status
    assert api.announced == []


@pytest.mark.promise("fault H2", "fault H3")
@pytest.mark.parametrize(
    "request_",
    [
        HEAD + b"Content-Length: 300000000\r\n\r\n",
        HEAD + b"Content-Length: 60000\r\n\r\n",
        CHUNKED + b"ffff\r\n",
        CHUNKED + b"2;",
        b"GET /v1/health/live HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n",
    ],
    ids=range(5),
)
def test_who_drips_on_after_the_answer_is_cut_off(api: Api, request_: bytes):
    with connected(api) as link:
        link.sendall(request_)

        def dripped() -> bool:
            try:
                link.sendall(b" ")
            except ConnectionError:
                return True
            time.sleep(0.02)
            return False

        eventually(dripped)
    assert api.announced == []


@pytest.mark.promise("fault H4")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" " * 60_000,
        b'{"service": NaN}',
        b'{"service": 1e999}',
        b'{"event_id": ' + b"9" * 5000 + b"}",
        b'{"service":' * 5000 + b"1" + b"}" * 5000,
        b'{"service": "x"',
        b'{"service": "\xff"}',
        b'{"service": "' + b"x" * 40 + b'"}',
    ],
    ids=range(9),
)
def test_broken_json_is_refused_in_words(api: Api, body: bytes):
    answer = api.ask("/v1/work/replay", "POST", body, Content_Type="application/json")
    assert answer.status in (400, 422)
    assert answer.json["detail"] and "Traceback" not in answer.body.decode()


@pytest.mark.promise("fault H6")
def test_a_key_belongs_to_its_camera_and_what_else_is_said_changes_nothing(tmp_path: Path):
    cameras = {name: {"fetch": {"url": "http://192.0.2.1/"}} for name in ("porch", "gate")}
    with running_api(tmp_path, {"cameras": cameras}) as api:
        first = api.post("/v1/cameras/porch/snapshots", {}, Idempotency_Key="k")
        again = api.post("/v1/cameras/porch/snapshots", {"other": 1}, Idempotency_Key="k")
        other = api.post("/v1/cameras/gate/snapshots", {}, Idempotency_Key="k")
    assert [each.status for each in (first, again, other)] == [202] * 3
    assert first.json["id"] == again.json["id"] != other.json["id"]
    assert len(api.announced) == 2


@pytest.mark.promise("fault H2", "inv I17")
def test_endless_bodies_do_not_fill_the_memory(tmp_path: Path):
    with contextlib.closing(System(tmp_path, {})) as system:
        system.start("api")
        before = resident(system.pid("api"))
        for head in (HEAD + b"Content-Length: 300000000\r\n\r\n", CHUNKED + b"fffffff\r\n"):
            with socket.create_connection(("127.0.0.1", system.api_port), timeout=10) as link:
                link.sendall(head)
                with contextlib.suppress(ConnectionError):
                    for _ in range(100):
                        link.sendall(bytes(1 << 20))
        assert system.get("/v1/health/live")
        assert resident(system.pid("api")) - before < 20_000


def resident(pid: int) -> int:
    """The most memory a process ever had, in kB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise AssertionError("no VmHWM")
