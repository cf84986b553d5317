"""The simulated camera that pushes, against an FTP server that is not ours."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from ftplib import FTP
from pathlib import Path

import pytest

from services.simulator import push
from services.simulator.demo import Account
from services.simulator.pictures import Pictures
from services.simulator.push import FtpPusher
from services.simulator.uploads import FOSCAM
from tests.support.camera_pictures import PHOTOS
from tests.support.fakes import eventually
from tests.support.ports import free_port

with warnings.catch_warnings():
    # It still builds on asyncore, which says on import that Python 3.12 has it no more.
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import FTPServer


@contextmanager
def ftp_server(home: Path, port: int = 0) -> Iterator[int]:
    """A stock FTP server: not ours, so that the pusher is tested against something else."""
    authorizer = DummyAuthorizer()
    authorizer.add_user("porch", "demo-porch", str(home), perm="elmw")
    handler = type("Handler", (FTPHandler,), {"authorizer": authorizer, "auth_failed_timeout": 0.1})
    server = FTPServer(("127.0.0.1", port), handler)
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            server.serve_forever(timeout=0.05, blocking=False)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield int(server.address[1])
    finally:
        stop.set()
        thread.join()
        server.close_all()


@contextmanager
def pushing(port: int, pictures: Pictures, password: str = "demo-porch") -> Iterator[FtpPusher]:
    ticks = (datetime(2026, 5, 4, 12, minute, 1, tzinfo=UTC) for minute in range(60))
    account = Account("porch", password)
    pusher = FtpPusher(("127.0.0.1", port), account, pictures, 0.02, lambda: next(ticks))
    stop = threading.Event()
    thread = threading.Thread(target=pusher.run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield pusher
    finally:
        stop.set()
        thread.join()


def test_it_pushes_by_ftp_with_names_and_folders_of_a_foscam(photos: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with ftp_server(home) as port, pushing(port, Pictures("porch", photos)) as pusher:
        eventually(lambda: pusher.pushed >= 3)
    files = sorted((home / "FI9821W_C4D6553CA13C" / "snap").iterdir())
    assert [file.read_bytes() for file in files[:3]] == PHOTOS
    assert re.fullmatch(r"MDAlarm_\d{8}-\d{6}\.jpg", files[0].name)


def test_what_was_not_acknowledged_is_pushed_again_under_its_name(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(push, "LONGEST_PAUSE_S", 0.05)
    port = free_port()
    with pushing(port, Pictures("porch", photos)) as pusher:
        eventually(lambda: pusher.failures_in_a_row >= 3)
        assert pusher.pushed == 0
        with ftp_server(tmp_path, port):
            eventually(lambda: pusher.pushed >= 1)
    first = min((tmp_path / "FI9821W_C4D6553CA13C" / "snap").iterdir())
    assert first.read_bytes() == PHOTOS[0]
    began = datetime(2026, 5, 4, 12, 0, 1, tzinfo=UTC).astimezone()
    assert FOSCAM.path_at(began).endswith(f"/snap/{first.name}")


def test_a_wrong_ftp_password_is_told_and_not_logged(
    photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with ftp_server(tmp_path) as port, pushing(port, Pictures("porch", photos), "canary") as pusher:
        eventually(lambda: pusher.failures_in_a_row == 1, timeout=20)
    assert "530" in pusher.last_error
    assert "canary" not in caplog.text


def test_the_standard_client_can_push_what_the_simulator_would(tmp_path: Path) -> None:
    """Negative control of the server used above."""
    with ftp_server(tmp_path) as port, FTP(timeout=5) as ftp:
        ftp.connect("127.0.0.1", port)
        ftp.login("porch", "demo-porch")
        assert ftp.pwd() == "/"
