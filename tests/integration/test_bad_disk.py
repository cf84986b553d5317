"""A disk that fails: a real process refuses, says so, and takes pictures again after a restart."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from ftplib import FTP, error_temp
from pathlib import Path

import pytest

from tests.support.fakes import eventually
from tests.support.making import picture
from tests.support.system import System


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    tree = {"cameras": {"porch": {"ftp": {"password": "quiet-camera"}}}}
    with contextlib.closing(System(tmp_path, tree)) as system:
        yield system


def send(system: System, name: str, number: int) -> str:
    """Upload one; what the server answered."""
    with FTP(timeout=20) as client:
        client.connect("127.0.0.1", system.ftp_port)
        client.login("porch", "quiet-camera")
        try:
            return client.storbinary(f"STOR {name}", io.BytesIO(picture(number)))
        except error_temp as error:
            return str(error)


@pytest.mark.promise("fault F9")
def test_after_a_failed_sync_nothing_is_taken_until_it_is_started_again(system: System):
    system.start("allinone", env={"FAILPOINT": "store.before_sync:2:raise=EIO"})
    assert send(system, "1.jpg", 1).startswith("226")
    for number in (2, 3):
        assert send(system, f"{number}.jpg", number).startswith("451")
    eventually(lambda: "could not be synced" in str(system.problems("allinone")))
    assert "could not be synced" in str(system.get("/v1/health"))
    (kept,) = system.get("/v1/snapshots")["snapshots"]
    assert kept["name"] == "1.jpg"

    system.stop("allinone")
    system.start("allinone")
    for number in (2, 3):
        assert send(system, f"{number}.jpg", number).startswith("226")
