"""Ways to make a data connection: active, over IPv6, through NAT, and ones that never come."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.ftp import data
from services.ftp.session import outer
from tests.support.cameras import black_hole
from tests.support.ftpdoor import PASSWORD, Raw, Running, ftp_door, session
from tests.support.making import picture
from tests.support.ports import free_port

ACTIVE: dict[str, Any] = {"porch": {"ftp": {"password": PASSWORD, "active": True}}}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Running]:
    with ftp_door(tmp_path, cameras=ACTIVE) as running:
        yield running


def put_actively(raw: Raw, command: str, listener: socket.socket, data: bytes) -> str:
    """Upload over a connection that the server makes to us; the answer."""
    assert raw.ask(command).startswith("200")
    link, _ = listener.accept()
    with link:
        assert raw.ask("STOR x.jpg")[:3] in ("125", "150")
        link.sendall(data)
    return raw.read()


@pytest.mark.promise("fault F13")
@pytest.mark.parametrize("command", ["PORT 127,0,0,1,{high},{low}", "EPRT |1|127.0.0.1|{port}|"])
def test_active_mode_takes_a_picture(door: Running, command: str):
    with door.raw() as raw, socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        line = command.format(port=port, high=port >> 8, low=port & 255)
        assert put_actively(raw, line, listener, picture(1)).startswith("226")
    assert door.names() == ["x.jpg"]


@pytest.mark.promise("fault F13")
def test_an_active_camera_that_refuses_its_connection_is_told(door: Running):
    with door.raw() as raw:
        assert raw.ask(f"EPRT |1|127.0.0.1|{free_port()}|").startswith("425")
        assert raw.put("x.jpg", picture(1)).startswith("226")


@pytest.mark.promise("fault F13")
def test_an_active_connection_that_nobody_answers_is_given_up(
    door: Running, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(data, "CONNECT_S", 0.3)
    with door.raw() as raw, black_hole() as port:
        raw.send(f"EPRT |1|127.0.0.1|{port}|\r\nSTOR x.jpg")
        assert [raw.read()[:3] for _ in range(3)] == ["150", "425", "425"]
        assert raw.put("x.jpg", picture(1)).startswith("226")
    assert door.names() == ["x.jpg"]


@pytest.mark.promise("fault F13")
@pytest.mark.parametrize("command", ["STOR y.jpg", "LIST"])
def test_a_passive_connection_that_never_comes_is_given_up(
    door: Running, monkeypatch: pytest.MonkeyPatch, command: str
):
    monkeypatch.setattr(data, "PASSIVE_S", 0.3)
    with door.raw() as raw:
        assert raw.ask("EPSV").startswith("229")
        assert raw.ask(command).startswith("150")
        assert raw.read().startswith("425")
        assert raw.put("x.jpg", picture(1)).startswith("226")
    assert door.names() == ["x.jpg"]


@pytest.mark.promise("fault F13")
@pytest.mark.parametrize("command", ["STOR y.jpg", "LIST"])
@pytest.mark.parametrize("instead", ["EPSV", "ABOR"])
def test_who_gives_up_waiting_for_its_connection_may_begin_anew(
    door: Running, command: str, instead: str
):
    with door.raw() as raw:
        assert raw.ask("EPSV").startswith("229")
        assert raw.ask(command).startswith("150")
        assert raw.ask(instead).startswith("425")
        assert raw.read()[:3] in ("229", "225")
        assert raw.put("x.jpg", picture(1)).startswith("226")
    assert door.names() == ["x.jpg"]


@pytest.mark.promise("fault F13")
def test_an_active_connection_is_used_once(door: Running):
    with door.raw() as raw, socket.create_server(("127.0.0.1", 0)) as listener:
        line = f"EPRT |1|127.0.0.1|{listener.getsockname()[1]}|"
        assert put_actively(raw, line, listener, picture(1)).startswith("226")
        assert raw.ask("STOR y.jpg").startswith("425")


def no_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return True
    return False


@pytest.mark.promise("fault F13")
@pytest.mark.skipif(no_ipv6(), reason="this machine has no ::1")
def test_ipv6_has_extended_commands_only(tmp_path: Path):
    with (
        ftp_door(tmp_path, {"host": "::1"}, ACTIVE) as door,
        session(door.port, host="::1") as raw,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as listener,
    ):
        assert raw.put("passive.jpg", picture(1)).startswith("226")
        assert "EPSV" in raw.ask("PASV") and raw.ask("NOOP").startswith("200")
        port = listener.getsockname()[1]
        assert put_actively(raw, f"EPRT |2|::1|{port}|", listener, picture(2)).startswith("226")
        assert raw.ask("EPRT |2|::2|51210|").startswith("501")
        assert sorted(door.names()) == ["passive.jpg", "x.jpg"]


@pytest.mark.promise("fault F13")
@pytest.mark.parametrize(
    ("peer", "told"), [("192.0.2.7", "203.0.113.9"), ("127.0.0.1", "172.17.0.2")]
)
def test_behind_nat_who_is_outside_is_told_the_outer_address(peer: str, told: str):
    assert outer("172.17.0.2", peer, "203.0.113.9") == told
