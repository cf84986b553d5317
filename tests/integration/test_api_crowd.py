"""A thousand clients that say nothing, or say it slowly: others are answered as ever."""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.api import guard, server
from tests.support.api import Api, running_api

SILENT, HEADS, BODIES = 400, 300, 300
POST = (
    b"POST /v1/cameras/porch/snapshots HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n"
)


@pytest.fixture
def many_files() -> Iterator[None]:
    """Both ends of each connection are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many_files: None) -> Iterator[Api]:
    monkeypatch.setattr(server, "HEAD_SECONDS", 4.0)
    monkeypatch.setattr(guard, "BODY_SECONDS", 4.0)
    monkeypatch.setattr(server, "REQUEST_SECONDS", 5.0)
    with running_api(tmp_path) as running:
        yield running


@pytest.mark.promise("fault H3", "sec B5")
def test_a_thousand_slow_clients_are_cut_off_and_others_are_answered_meanwhile(api: Api):
    with contextlib.ExitStack() as stack:

        def connect(first: bytes) -> socket.socket:
            link = socket.create_connection(("127.0.0.1", api.port), timeout=30)
            stack.enter_context(link).sendall(first)
            return link

        silent = [connect(b"") for _ in range(SILENT)]
        heads = [connect(b"GET / HTTP/1.1\r\nHost: loc") for _ in range(HEADS)]
        bodies = [connect(POST) for _ in range(BODIES)]
        waits = []
        for _ in range(20):
            for link in heads + bodies:
                with contextlib.suppress(ConnectionError):
                    link.send(b"x")
            began = time.monotonic()
            assert api.ask("/v1/health/live").status == 200
            assert api.ask("/v1/health").status == 200
            waits.append(time.monotonic() - began)
        assert api.post("/v1/cameras/porch/snapshots").status == 202
        assert max(waits) < 10, waits
        assert all(answer(link) in (b"", b"408") for link in silent + heads + bodies)
    assert len(api.announced) == 1


def answer(link: socket.socket) -> bytes:
    """The status of what the server said before it hung up; empty: nothing."""
    said = b""
    with contextlib.suppress(ConnectionError):
        while piece := link.recv(4096):
            said += piece
    return said.split(b" ", 2)[1] if said else b""
