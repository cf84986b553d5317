"""A whole Snapbus files in Google Drive: killed, locked out, and let in again."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from services.simulator.google.account import SimulatedGoogle
from shared.events import SnapshotArchived
from tests.support.camera_pictures import jpeg
from tests.support.fakes import eventually
from tests.support.google import simulated_google
from tests.support.google_archive import client_file, log_in
from tests.support.system import System

PICTURES = 5


@pytest.fixture
def google() -> Iterator[SimulatedGoogle]:
    with simulated_google() as simulated:
        yield simulated


@pytest.fixture
def system(google: SimulatedGoogle, tmp_path: Path) -> Iterator[System]:
    barn = tmp_path / "barn"
    barn.mkdir()
    tree = {
        "cameras": {"barn": {"folder": {"path": str(barn)}}},
        "folders": {"settle_s": 0.1, "rescan_s": 0.5},
        "scheduler": {"reconcile_s": 0.5, "grace_s": 1},
        "drive": {
            "archive": "google",
            "google": {"client": client_file(google.url), "api": google.url, "timeout_s": 5},
        },
    }
    with closing(System(tmp_path, tree)) as system:
        yield system


def drive(system: System) -> dict[str, object]:
    parts = system.get("/v1/health")["parts"]
    return next(part for part in parts if part["service"] == "drive")


def put(system: System, first: int, count: int) -> None:
    for number in range(first, first + count):
        (system.folder / "barn" / f"{number}.jpg").write_bytes(jpeg(number))


def archived(system: System) -> int:
    return int(system.get("/v1/health")["snapshots"].get("archived", 0))


@pytest.mark.promise("fault G1", "fault G3", "feat F1", "feat F10", "inv I9")
def test_pictures_reach_drive_once_through_a_kill_and_a_lost_login(
    google: SimulatedGoogle, system: System
) -> None:
    log_in(google, system.settings.data)
    system.start("allinone", env={"FAILPOINT": "google.sent:3:kill"}, wait=False)
    put(system, 0, PICTURES)
    assert system.wait("allinone", 90) == -signal.SIGKILL
    google.revoke()
    system.start("allinone")
    eventually(lambda: "drive:login" in str(drive(system)["summary"]), timeout=60)
    assert not drive(system)["ok"]
    put(system, PICTURES, 3)

    google.allow("1//again")
    log_in(google, system.settings.data, "1//again")

    eventually(lambda: archived(system) == PICTURES + 3, timeout=90)
    eventually(lambda: drive(system)["ok"], timeout=30)
    live = google.live()
    assert len(live) == len({file.md5 for _, file in live}) == PICTURES + 3
    assert system.get("/v1/work?limit=500")["work"] == []
    assert system.log("allinone").count('"archive_stopped"') == 1
    with closing(system.journal()) as journal:
        events = journal.read.latest_events(50, topic=SnapshotArchived.topic)
        told = {each.event.data["path"]: each.event.data for each in events}
    for path, file in live:
        data = told[path.removeprefix("/Snapbus/")]
        assert (data["key"], data["archive"]) == (file.id, "google")
        assert data["link"].endswith(f"/file/d/{file.id}/view")
