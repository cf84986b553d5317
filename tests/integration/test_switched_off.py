"""``enabled: false`` keeps a part from its job; it is healthy, says so, and holds nothing up."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shared.journal.queries.snapshots import Snapshot
from tests.support.fakes import eventually
from tests.support.pictures import jpeg
from tests.support.system import SERVICES, System

OFF = ("detector", "drive", "ftp", "mail", "scheduler")


def tree(folder: Path) -> dict[str, Any]:
    """All switched off but the page; a camera with a folder, and one that would be asked."""
    (folder / "barn").mkdir()
    cameras = {
        "barn": {"folder": {"path": str(folder / "barn")}, "ftp": {"password": "barn-pw"}},
        "gate": {"fetch": {"url": "http://127.0.0.1:9/", "every_s": 0.2}},
    }
    sections: dict[str, Any] = {name: {"enabled": False} for name in OFF}
    return sections | {"cameras": cameras, "folders": {"settle_s": 0.2}}


@pytest.fixture
def one_process(tmp_path: Path) -> Iterator[System]:
    with closing(System(tmp_path, tree(tmp_path))) as system:
        system.start("allinone")
        yield system


@pytest.fixture
def containers(tmp_path: Path, amqp_url: str, postgres_url: str) -> Iterator[System]:
    where = {"journal": {"url": postgres_url}, "broker": {"url": amqp_url}}
    with closing(System(tmp_path, tree(tmp_path) | where)) as system:
        system.start(*SERVICES, "mail")
        yield system


def only_snapshot(system: System) -> Snapshot:
    with closing(system.journal()) as journal:
        (snapshot,) = journal.read.snapshots()
        return snapshot


@pytest.mark.promise("feat B6", "feat E4", "inv I6")
@pytest.mark.parametrize(
    "size", ["one_process", pytest.param("containers", marks=pytest.mark.prove)]
)
def test_pictures_come_to_their_end_past_all_that_is_switched_off(request, size: str) -> None:
    system: System = request.getfixturevalue(size)
    (system.folder / "barn" / "a.jpg").write_bytes(jpeg())
    counts = lambda: system.get("/v1/health")["snapshots"]  # noqa: E731
    eventually(lambda: counts() == {"skipped": 1}, timeout=60, message="the picture is skipped")

    snapshot = only_snapshot(system)
    (analysis,), (filing,) = snapshot.analyses, snapshot.filings
    assert "switched off by detector.enabled" in analysis.data["reason"]
    assert filing.policy == "off"
    assert not system.archive.exists()
    with closing(system.journal()) as journal:
        assert journal.read.latest_events(10, topic="snapshot.requested") == []

    health = system.get("/v1/health")
    assert (health["status"], health["problems"]) == ("ok", [])
    said = {part["service"]: part["summary"] for part in health["parts"]}
    others = ["legacy", "rekognition"] if size == "one_process" else []
    assert set(said) == {*SERVICES, "mail", *others}
    for name in OFF:
        assert f"switched off by {name}.enabled" in said[name]
        assert f"switched off by {name}.enabled" in system.log(
            "allinone" if size == "one_process" else name
        )
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", system.ftp_port), 5)


def test_a_page_that_is_switched_off_is_not_there_and_its_process_is_healthy(
    tmp_path: Path,
) -> None:
    with closing(System(tmp_path, {"api": {"enabled": False}})) as system:
        system.start("api")
        assert "api is switched off by api.enabled" in system.log("api")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", system.api_port), 5)
        assert system.stop("api") == [0]


def test_one_that_is_switched_off_and_does_not_run_is_missed(tmp_path: Path) -> None:
    """Negative control: without it, pictures would wait for ever."""
    with closing(System(tmp_path, {"drive": {"enabled": False}, "ftp": {"enabled": False}})) as it:
        it.start("api")
        missed = {part["service"] for part in it.get("/v1/health")["parts"] if not part["up"]}
        assert missed == {"camera", "detector", "drive", "scheduler"}, "nobody waits for ftp"
