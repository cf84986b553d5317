"""The doctor finds every kind of difference that was made on purpose, and nothing in health."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from shared.admin.doctor import Doctor, Finding
from shared.events import Event, SnapshotAnalyzed, SnapshotArchived
from shared.ingest.intake import Arrival, Intake
from shared.journal import Journal
from shared.store import Store

PICTURE = b"\xff\xd8\xff\xda\x00\x02" + b"picture" * 20 + b"\xff\xd9"


@pytest.fixture
def system(tmp_path: Path):
    """A store, a journal and an archive with one archived snapshot."""
    journal = Journal.open(f"sqlite:///{tmp_path}/journal.db")
    store = Store(tmp_path / "store")
    store.create()
    told: list[Event] = []
    intake = Intake(store, journal, told.extend, max_bytes=10_000)
    part = intake.receive()
    part.write(PICTURE)
    intake.accept(part, Arrival(camera="porch", door="ftp", name="a.jpg"))
    (taken,) = told
    analyzed = SnapshotAnalyzed(camera="porch", analyzed=True).event(subject="porch", cause=taken)
    journal.finish("detector", taken, [analyzed])
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "a.jpg").write_bytes(PICTURE)
    said = SnapshotArchived(
        camera="porch",
        archive="folder",
        path="a.jpg",
        sha256=taken.data["sha256"],
        size=len(PICTURE),
    )
    journal.finish("drive", analyzed, [said.event(subject="porch", cause=analyzed)])
    yield store, journal, archive
    journal.close()


def findings(system, level: str = "hashes") -> list[Finding]:
    store, journal, archive = system
    return list(Doctor(store, journal, {"folder": archive}, level=level).findings())


def blob(store: Store) -> Path:
    (path,) = store.root.glob("blobs/*/*")
    return path


def age(path: Path, hours: float) -> None:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


@pytest.mark.promise("inv I2", "inv I3", "inv I9")
def test_a_sound_system_has_no_differences(system):
    assert findings(system) == []


@pytest.mark.promise("inv I2")
def test_a_lost_file_is_named_with_its_snapshot(system):
    blob(system[0]).unlink()

    found = findings(system)

    assert [one.invariant for one in found] == ["I2"]
    assert "No such file" in found[0].what
    assert "restore" in found[0].remedy


@pytest.mark.promise("inv I2")
def test_a_flipped_bit_is_found_at_the_level_of_hashes_only(system):
    path = blob(system[0])
    damaged = bytearray(path.read_bytes())
    damaged[20] ^= 1
    path.write_bytes(damaged)

    assert findings(system, "sizes") == []
    assert [one.invariant for one in findings(system, "hashes")] == ["I2"]


@pytest.mark.promise("inv I9")
def test_a_lost_file_of_the_archive_is_found(system):
    (system[2] / "a.jpg").unlink()

    assert [one.invariant for one in findings(system)] == ["I9"]


@pytest.mark.promise("inv I3")
def test_files_that_nobody_knows_are_found_once_they_are_old(system):
    store = system[0]
    stranger = blob(store).parent / ("0" * 64)
    stranger.write_bytes(b"x")
    forgotten = store.incoming / "x.part"
    forgotten.write_bytes(b"x")
    assert findings(system) == []

    age(stranger, 2)
    age(forgotten, 2)

    assert [one.invariant for one in findings(system)] == ["I3", "I3"]
