"""An attempt ends in its time, whatever the camera, its TLS or the name server does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from services.camera.failures import TooSlow, Unreachable
from tests.support.asking import fetch, take
from tests.support.cameras import FaultyCamera, black_hole

DEADLINE_S = 0.5
LATE_S = 3.0
"""Less than any of these cameras would go on for."""


@pytest.fixture(scope="module")
def camera() -> Iterator[FaultyCamera]:
    with FaultyCamera() as camera:
        yield camera


@pytest.mark.promise("fault C1")
@pytest.mark.parametrize("path", ["/silent", "/drip", "/drip-body"])
def test_the_deadline_holds_in_every_phase_of_an_answer(camera: FaultyCamera, path: str) -> None:
    began = time.monotonic()
    with pytest.raises(TooSlow, match=r"within 0\.5 s"):
        take(fetch(camera.url(path)), DEADLINE_S)
    assert time.monotonic() - began < LATE_S


@pytest.mark.promise("fault C1")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_deadline_holds_while_connecting(camera: FaultyCamera, scheme: str) -> None:
    began = time.monotonic()
    with black_hole() as port, pytest.raises(TooSlow):
        take(fetch(f"{scheme}://127.0.0.1:{port}/"), DEADLINE_S)
    assert time.monotonic() - began < LATE_S


@pytest.mark.promise("fault C1")
def test_a_connection_that_nobody_takes_is_given_up_long_before_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.http.deadline.CONNECT_S", 0.3)
    began = time.monotonic()
    with black_hole() as port, pytest.raises(Unreachable, match="does not answer"):
        take(fetch(f"http://127.0.0.1:{port}/"), 30.0)
    assert time.monotonic() - began < 20


@pytest.mark.promise("fault C1")
def test_the_deadline_holds_during_a_tls_handshake_that_drips(camera: FaultyCamera) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            wire, _ = listener.accept()
            with wire, suppress(OSError):
                wire.recv(10_000)
                # The start of a TLS record of 16 kB that would take a quarter of an hour.
                for byte in b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" + bytes(200):
                    time.sleep(0.05)
                    wire.sendall(bytes([byte]))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        began = time.monotonic()
        with pytest.raises(TooSlow):
            take(fetch(f"https://127.0.0.1:{listener.getsockname()[1]}/"), DEADLINE_S)
        assert time.monotonic() - began < LATE_S
        thread.join()


def test_without_the_watchdog_a_dripping_camera_would_hold_us(
    camera: FaultyCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control of the tests above."""

    class NoTimer(threading.Timer):
        def run(self) -> None:
            pass

    monkeypatch.setattr(threading, "Timer", NoTimer)
    began = time.monotonic()
    with pytest.raises(TooSlow):
        take(fetch(camera.url("/drip-a-while")), DEADLINE_S)
    assert time.monotonic() - began > LATE_S


@pytest.mark.promise("fault C1")
def test_the_deadline_holds_while_a_dead_name_server_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = threading.Event()
    monkeypatch.setattr("shared.http.deadline._lookup", lambda *_: released.wait(30) and [])
    began = time.monotonic()
    with pytest.raises(TooSlow):
        take(fetch("http://camera.example/"), DEADLINE_S)
    released.set()
    assert time.monotonic() - began < LATE_S
