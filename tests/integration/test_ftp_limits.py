"""Who sends too slowly or connects too often is given up, and others are still served."""

from __future__ import annotations

import contextlib
import socket

import pytest

from tests.support.fakes import eventually
from tests.support.ftpdoor import ftp_door
from tests.support.making import picture


@pytest.mark.promise("fault F7")
def test_a_stalled_upload_is_given_up(tmp_path):
    with ftp_door(tmp_path, {"stall_s": 0.3}) as door, door.raw() as raw:
        with raw.begin("x.jpg") as data:
            data.sendall(picture(1)[:20])
            assert raw.read().startswith("421")
            assert raw.read() == ""
        eventually(lambda: door.kept_nothing())


@pytest.mark.promise("fault F7")
def test_an_upload_in_drops_is_given_up(tmp_path):
    with ftp_door(tmp_path, {"stall_s": 0.2, "upload_s": 0.5}) as door, door.raw() as raw:
        with raw.begin("x.jpg") as data:

            def drip() -> bool:
                with contextlib.suppress(OSError):
                    data.sendall(b"\xff\xd8\xff"[:1])
                return door.about()["uploads"]["cut"] == 1

            eventually(drip)
        assert raw.read().startswith("421")


@pytest.mark.promise("fault F7")
def test_a_silent_connection_is_closed(tmp_path):
    with ftp_door(tmp_path, {"timeout_s": 0.3}) as door:
        with door.raw("") as stranger:
            assert stranger.read().startswith("421")
        with door.raw() as raw:
            assert raw.read().startswith("421")
        eventually(lambda: door.about()["connections"] == 0)


@pytest.mark.promise("fault F8")
@pytest.mark.promise("feat B10")
def test_connections_are_limited_for_each_address_and_in_total(tmp_path):
    limits = {"max_connections": 5, "max_connections_per_ip": 3}
    with ftp_door(tmp_path, limits) as door, contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(door.raw(""))
        assert stack.enter_context(door.raw("")).greeting.startswith("421")

        def from_(address: str) -> str:
            with socket.create_connection(
                ("127.0.0.1", door.port), timeout=10, source_address=(address, 0)
            ) as other:
                return other.recv(100).decode()[:3]

        assert from_("127.0.0.2") == "220"
        stack.close()
        eventually(lambda: door.about()["connections"] == 0)
        with door.raw() as raw:
            assert raw.put("x.jpg", picture(1)).startswith("226")


@pytest.mark.promise("fault F8")
def test_six_hundred_silent_sockets_do_not_keep_another_camera_out(tmp_path):
    with ftp_door(tmp_path) as door, contextlib.ExitStack() as stack:
        for _ in range(600):
            silent = stack.enter_context(socket.socket())
            silent.bind(("127.0.0.9", 0))
            silent.connect(("127.0.0.1", door.port))
        with door.raw() as raw:
            assert raw.put("x.jpg", picture(1)).startswith("226")
