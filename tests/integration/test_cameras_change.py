"""A camera is added, changed and removed while the services run, by an edit of the file."""

from __future__ import annotations

import ftplib
import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.fakes import eventually
from tests.support.pictures import jpeg
from tests.support.system import System


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    (tmp_path / "barn").mkdir()
    with closing(System(tmp_path, {"folders": {"settle_s": 0.1, "rescan_s": 0.5}})) as system:
        system.start("allinone")
        yield system


def edit(system: System, cameras: dict[str, Any]) -> None:
    tree = yaml.safe_load(system.config.read_text()) | {"cameras": cameras}
    beside = system.config.with_suffix(".new")
    beside.write_text(yaml.safe_dump(tree))
    beside.replace(system.config)


def push(system: System, user: str, password: str) -> str:
    with ftplib.FTP() as ftp:
        ftp.connect("127.0.0.1", system.ftp_port, timeout=10)
        ftp.login(user, password)
        return ftp.storbinary("STOR a.jpg", io.BytesIO(jpeg()))


def pushed(system: System, user: str, password: str) -> str:
    try:
        return push(system, user, password)
    except (OSError, EOFError, ftplib.Error):
        return ""


def troubles(system: System) -> list[str]:
    """What the page says of the configuration."""
    told = system.get("/v1/health")["problems"]
    return [each for each in told if "configuration" in each or "restart" in each]


def test_cameras_come_and_go_with_the_file_and_no_service_restarts(system: System, tmp_path: Path):
    pid = system.pid("allinone")
    assert pushed(system, "porch", "pw-porch") == ""  # nobody delivers by FTP: no server
    still = tmp_path / "still.jpg"
    still.write_bytes(jpeg())

    edit(
        system,
        {
            "porch": {"ftp": {"password": "pw-porch"}},
            "barn": {"folder": {"path": str(tmp_path / "barn")}},
            "gate": {"fetch": {"kind": "file", "path": str(still), "every_s": 1}},
        },
    )
    eventually(lambda: pushed(system, "porch", "pw-porch").startswith("226"), timeout=30)
    (tmp_path / "barn" / "b.jpg").write_bytes(jpeg())

    def names() -> set[str]:
        return {each["camera"] for each in system.get("/v1/snapshots")["snapshots"]}

    eventually(lambda: names() == {"porch", "barn", "gate"}, timeout=30)
    assert {each["name"] for each in system.get("/v1/cameras")} == {"porch", "barn", "gate"}

    edit(system, {"porch": {"ftp": {"password": "pw-other"}}})
    eventually(lambda: pushed(system, "porch", "pw-other").startswith("226"), timeout=30)
    assert pushed(system, "porch", "pw-porch") == ""
    configured = {each["name"]: each["configured"] for each in system.get("/v1/cameras")}
    assert configured == {"porch": True, "barn": False, "gate": False}
    (tmp_path / "barn" / "late.jpg").write_bytes(jpeg())

    good = system.config.read_text()
    system.config.write_text("cameras: [")
    eventually(lambda: "is not in force" in system.log("allinone"), timeout=30)
    # Whoever asks is told, once; and what is in force goes on.
    (told,) = eventually(lambda: troubles(system), timeout=30)
    assert told.startswith("the changed configuration is not in force: ")
    assert system.get("/v1/health")["status"] == "degraded"
    assert pushed(system, "porch", "pw-other").startswith("226")
    assert (tmp_path / "barn" / "late.jpg").is_file()  # nobody watches it any more
    assert (system.pid("allinone"), system.running()) == (pid, ["allinone"])
    system.config.write_text(good)
    eventually(lambda: not troubles(system), timeout=30)
    assert "pw-porch" not in system.log("allinone")
    assert "pw-other" not in system.log("allinone")
