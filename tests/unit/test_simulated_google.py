"""What the simulator does around its Google: the demo's login and address, strange requests."""

from __future__ import annotations

import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from services.simulator.demo import GOOGLE_PORT, at_its_port, google_root
from services.simulator.google.account import SimulatedGoogle
from services.simulator.google.token import log_in
from shared.errors import ConfigError
from shared.settings import Settings, ports
from shared.stop import Stop
from tests.support.google import simulated_google


def settings(folder: Path, archives: dict[str, str], port: int = GOOGLE_PORT) -> Settings:
    """With an archive at each of these roots."""
    google = {name: {"archive": "google", "google": {"api": api, "token": f"tokens/{name}"}}
              for name, api in archives.items()}  # fmt: skip
    tree: dict[str, Any] = {"data": folder, "archives": google, "simulator": {"google_port": port}}
    return Settings.model_validate(tree)


def test_only_archives_at_the_simulated_google_are_logged_in(tmp_path: Path) -> None:
    own = {"own": google_root(GOOGLE_PORT), "real": "https://www.googleapis.com/"}
    log_in(settings(tmp_path, own), GOOGLE_PORT)
    log_in(settings(tmp_path, own), GOOGLE_PORT)

    (token,) = (tmp_path / "tokens").iterdir()
    assert token.name == "own"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600


def test_archives_of_the_demo_follow_the_port_of_the_simulated_google(tmp_path: Path) -> None:
    roots = {"own": google_root(GOOGLE_PORT), "real": "https://www.googleapis.com/"}

    moved = at_its_port(settings(tmp_path, roots, 9999)).archives
    assert moved["own"].google.api == "http://127.0.0.1:9999/"
    assert moved["real"].google.api == "https://www.googleapis.com/"


def test_its_port_is_one_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="google_port"):
        ports.check(settings(tmp_path, {}, 8090), "simulator")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        google = SimulatedGoogle(port=taken.getsockname()[1])
        with pytest.raises(ConfigError, match="google_port"):
            google.run(Stop())
        google.close()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST /token HTTP/1.1\r\nContent-Length: 9999999999", 413),
        ("POST /token HTTP/1.1\r\nContent-Length: -1", 411),
        ("POST /token HTTP/1.1\r\nTransfer-Encoding: chunked", 411),
        ("GET /drive/v2/files/%2e%2e%2f HTTP/1.1\r\nHost: localhost", 404),
        ("PUT /upload/drive/v2/files?upload_id=x HTTP/1.1\r\nContent-Length: 0", 404),
        ("BREW / HTTP/1.1", 501),
    ],
)
def test_a_strange_request_is_refused(head: str, status: int) -> None:
    with simulated_google() as google, socket.create_connection(("127.0.0.1", google.port)) as link:
        link.settimeout(10)
        link.sendall(f"{head}\r\n\r\n".encode())
        assert int(link.recv(1000).split()[1]) == status
