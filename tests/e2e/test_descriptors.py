"""Under the usual limit of 1,024 descriptors, strangers can't keep cameras out."""

from __future__ import annotations

import contextlib
import io
import socket
import time
from collections.abc import Iterator
from ftplib import FTP
from pathlib import Path

import pytest

from shared.ingest.places import YIELD_S
from tests.support.making import picture
from tests.support.system import System

USUAL = ("prlimit", "--nofile=1024:1024")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    tree = {"cameras": {"porch": {"ftp": {"password": "x"}}}}
    with contextlib.closing(System(tmp_path, tree)) as system:
        system.within = USUAL
        system.start("allinone")
        yield system


def put(system: System, number: int) -> str:
    with FTP(timeout=20) as ftp:
        ftp.connect("127.0.0.1", system.ftp_port)
        ftp.login("porch", "x")
        return ftp.storbinary(f"STOR {number}.jpg", io.BytesIO(picture(number)))


def asking(port: int) -> socket.socket:
    """A connection that asks once and stays."""
    link = socket.create_connection(("127.0.0.1", port), timeout=10)
    link.settimeout(3)
    with contextlib.suppress(ConnectionError):
        link.sendall(b"GET /v1/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return link


@pytest.mark.promise("find M5", "fault F8", "sec B5")
@pytest.mark.timeout(180)
@pytest.mark.parametrize(("known", "silent"), [(True, 300), (False, 300), (False, 0)])
def test_with_crowds_on_both_ports_a_camera_is_served(
    system: System, known: bool, silent: int
) -> None:
    if known:
        assert put(system, 0).startswith("226")
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(asking(system.api_port)) for _ in range(1150)]
        with contextlib.suppress(TimeoutError):  # until each is let in, as far as any is
            for link in crowd:
                with contextlib.suppress(ConnectionError):
                    link.recv(1)
        for number in range(silent):
            source = (f"127.0.3.{number % 12 + 1}", 0)
            stack.enter_context(
                socket.create_connection(("127.0.0.1", system.ftp_port), 10, source_address=source)
            )
        if not known:
            time.sleep(YIELD_S)
        for number in range(1, 11):
            assert put(system, number).startswith("226")
    assert "Too many open files" not in system.log("allinone")
