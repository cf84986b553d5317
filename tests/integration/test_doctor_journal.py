"""The doctor on a journal whose work stands still, and after half a system was restored."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import text

from services.drive.archives.folder import FolderArchive
from services.drive.file import FileSnapshots
from shared.admin.doctor import Doctor, Finding
from shared.admin.doctor.files import Files
from shared.admin.doctor.repair import adopt
from shared.events import CameraFailed, SnapshotRequested, SnapshotTaken, now
from shared.ingest.spool import Spool
from shared.journal import Journal
from shared.journal.catalogue import Candidate
from tests.support.making import (
    START,
    Clock,
    Core,
    analyzed,
    core,
    events_of,
    picture,
    taken,
)

GRACE_S = 600.0


@pytest.fixture(params=["sqlite", "postgres"])
def here(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Core]:
    """A core whose journal writes an hour ago."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    tree = {"journal": {"url": url}}
    here = core(tmp_path, tree, clock=Clock(now() - timedelta(hours=1)))
    yield here
    here.journal.close()


def findings(here: Core, level: str = "hashes", **options) -> list[Finding]:
    archive = here.settings.data / here.settings.drive.folder
    return list(
        Doctor(here.store, here.journal, {"folder": archive}, level=level, **options).findings()
    )


def kinds(found: list[Finding]) -> list[str]:
    return sorted({one.invariant for one in found})


def age(*paths: Path) -> None:
    then = time.time() - 7200
    for path in paths:
        os.utime(path, (then, then))


def blobs(here: Core) -> list[Path]:
    return sorted(here.store.root.glob("blobs/*/*"))


def old_snapshot(here: Core):
    """One that was taken long ago, although its file is there."""
    first = taken(1)
    here.journal.record_snapshot(first, ["key"], repeats_since=START)
    return first


@pytest.mark.promise("inv I6")
def test_an_unfinished_snapshot_is_named_with_who_owes_it(here: Core):
    here.journal.subscribe("detector", ["snapshot.taken"])
    first = old_snapshot(here)

    def why() -> str:
        return next(one.what for one in findings(here, "rows") if one.invariant == "I6")

    assert "snapshot.taken is not published" in why()
    here.journal.mark_published([first.id])
    assert "detector has not answered" in why()
    here.journal.begin("detector", first, redelivered=True)
    assert "detector began it 1 times" in why()
    here.journal.fail("detector", first, "no memory", attempts=1, retry_after_s=60)
    assert "detector will try again: no memory" in why()
    here.journal.fail("detector", first, "no use", attempts=2, retry_after_s=None)
    assert "detector gave up: no use" in why()


@pytest.mark.promise("inv I6")
def test_a_snapshot_that_nobody_takes_further_is_at_its_end(here: Core):
    first = old_snapshot(here)
    here.journal.mark_published([first.id])
    assert findings(here, "rows") == []

    here.journal.subscribe("detector", ["snapshot.taken"])
    here.journal.finish("detector", first, [])
    (found,) = findings(here, "rows")

    assert "nobody owes it anything" in found.what


@pytest.mark.promise("inv I5")
def test_events_that_wait_too_long_for_the_broker_are_counted(here: Core):
    here.journal.append([analyzed(taken(number)) for number in range(3)])

    assert "3 events are not published" in findings(here, "rows")[0].what


@pytest.mark.promise("inv I12")
def test_a_request_ends_with_one_picture_or_a_failure(here: Core):
    def request(name: str):
        return SnapshotRequested(camera="gate", reason="manual").event(subject="gate", cause=name)

    open_one, failed, answered = (request(name) for name in "abc")
    failure = CameraFailed(camera="gate", reason="off").event(subject="gate", cause=failed)
    pictures = []
    for number in (1, 2):
        base = SnapshotTaken.model_validate(dict(taken(number).data))
        pictures.append(
            base.event(
                subject="gate",
                cause=answered,
                discriminator=f"{number}",
                snapshot_id=f"{number:026}",
            )
        )
    here.journal.append([open_one, failed, answered, failure, pictures[0]])
    here.journal.mark_published([each.id for each in (open_one, failed, answered, failure)])

    told = [one.what for one in findings(here, "rows") if one.invariant == "I12"]
    assert told == [f"request {open_one.id} has neither a picture nor a failure"]

    here.journal.append([pictures[1]])
    told = [one.what for one in findings(here, "rows") if one.invariant == "I12"]
    assert len(told) == 3


def _forget_key(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as link:
        link.execute("PRAGMA writable_schema=ON")
        link.execute(
            "UPDATE sqlite_master SET sql = replace(sql, "
            "'CONSTRAINT one_snapshot_per_key UNIQUE (organisation, dedupe_key)', 'CHECK (1)') "
            "WHERE name = 'snapshots'"
        )
        link.execute("DELETE FROM sqlite_master WHERE name = 'sqlite_autoindex_snapshots_2'")
        link.commit()


@pytest.mark.promise("inv I1")
def test_a_lost_unique_key_is_noticed(here: Core):
    if here.journal._database.is_sqlite:
        here.journal.close()
        _forget_key(here.settings.data / "snapbus.db")
        here.journal = Journal.open(here.settings.journal_url, owner=False)
    else:
        with here.journal._database.writing() as connection:
            drop = "ALTER TABLE snapshots DROP CONSTRAINT one_snapshot_per_key"
            connection.execute(text(drop))

    assert [one.what for one in findings(here, "rows")] == [
        "table snapshots lacks its unique key on organisation, dedupe_key"
    ]


@pytest.mark.promise("inv I16")
def test_a_secret_in_the_journal_is_noticed_and_not_shown(here: Core):
    said = CameraFailed(camera="gate", reason="http://x/?pwd=hunter2_hunter2")
    here.journal.append([said.event(subject="gate", cause="a")])
    secrets = [("cameras.gate.password", "hunter2_hunter2"), ("other", "hunter2-hunter2")]

    told = [one for one in findings(here, secrets=secrets) if one.invariant == "I16"]

    assert [one.what for one in told] == ["the secret cameras.gate.password is in 1 rows of events"]


@pytest.mark.promise("inv I1", "inv I2")
def test_what_waits_in_the_spool_is_known_and_named_when_it_waits_long(here: Core):
    here.arrive(picture(1))
    spool, first = Spool(here.store), here.told[0]
    waiting = Candidate(first, ("key",), START)
    spool.put(waiting)
    assert "I1" not in kinds(findings(here))

    age(spool.path(waiting))
    assert "I1" in kinds(findings(here))
    blobs(here)[0].unlink()
    assert "I2" in kinds(findings(here))
    spool.path(waiting).write_text("{")
    assert any("can't be read" in one.what and "spool" in one.what for one in findings(here))


# Restored from a backup: fault X5


@pytest.fixture
def split(tmp_path: Path) -> Iterator[Core]:
    """A system with a picture of yesterday, of which a backup was made, and one of today."""
    here = core(tmp_path, {"cameras": {"porch": {"ftp": {"password": "hunter2-hunter2"}}}})
    here.arrive(picture(1))
    here.journal.close()
    shutil.copytree(tmp_path / "store", tmp_path / "old-store")
    shutil.copy(tmp_path / "snapbus.db", tmp_path / "old.db")
    here.journal = Journal.open(here.settings.journal_url)
    here.arrive(picture(2))
    archive = tmp_path / here.settings.drive.folder
    archive.mkdir(exist_ok=True)
    snapshot_id = here.told[1].snapshot_id
    (archive / f"porch_20260301-120000_{snapshot_id}.jpg").write_bytes(picture(2))
    age(*blobs(here), *archive.iterdir())
    here.journal.mark_published([each.id for each in here.told])
    yield here
    here.journal.close()


def restore_database(here: Core) -> None:
    here.journal.close()
    data = here.settings.data
    for suffix in ("", "-wal", "-shm"):
        data.joinpath(f"snapbus.db{suffix}").unlink(missing_ok=True)
    shutil.copy(data / "old.db", data / "snapbus.db")
    here.journal = Journal.open(here.settings.journal_url)
    here.journal.mark_published([here.told[0].id])


@pytest.mark.promise("fault X5", "inv I19")
def test_an_old_database_beside_new_files_names_the_files_it_does_not_know(split: Core):
    restore_database(split)

    found = findings(split)

    today = str(split.told[1].data["sha256"])
    assert [one.invariant for one in found] == ["I3", "I9"]
    assert today in found[0].what
    assert "--adopt" in found[0].remedy
    assert str(split.told[1].snapshot_id) in found[1].what


@pytest.mark.promise("fault X5", "inv I19")
def test_old_files_beside_a_new_database_name_the_snapshots_without_a_file(split: Core):
    root = split.store.root
    shutil.rmtree(root)
    shutil.copytree(split.settings.data / "old-store", root)

    found = [one for one in findings(split) if one.invariant != "I9"]

    assert [one.invariant for one in found] == ["I2"]
    assert str(split.told[1].snapshot_id) in found[0].what


@pytest.mark.promise("fault X5")
def test_adopted_files_are_snapshots_once_and_those_damaged_stay(split: Core):
    restore_database(split)
    damaged = split.store.place("0" * 64)
    damaged.write_bytes(picture(3))
    age(damaged)

    def take() -> list[str]:
        archive = split.settings.data / "none"
        files = Files(split.store, {"folder": archive}, hashes=False, grace_s=GRACE_S)
        return list(adopt(split.journal, files, "porch"))

    told = take()
    assert len(told) == 2
    assert sum("is now snapshot" in line for line in told) == 1
    assert sum("left alone" in line for line in told) == 1
    assert split.journal.audit.count() == 2
    assert len(take()) == 1
    (event,) = split.journal.recovery.unpublished(now(), 10)
    assert event.data["sha256"] == split.told[1].data["sha256"]


@pytest.mark.promise("fault X5")
def test_the_command_line_finds_adopts_and_then_finds_nothing(split: Core, tmp_path: Path):
    restore_database(split)
    split.journal.facts.belongs_to(split.store.volume.identity())
    shutil.rmtree(tmp_path / split.settings.drive.folder)
    config = tmp_path / "snapbus.yml"
    porch = {"porch": {"ftp": {"password": "hunter2-hunter2"}}}
    config.write_text(yaml.safe_dump({"data": str(tmp_path), "cameras": porch}))

    def doctor(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "shared.admin.doctor", "--config", str(config), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    status, told = doctor("--level", "hashes")
    assert status == 1
    assert "belongs to no snapshot" in told
    status, told = doctor("--adopt", "nobody")
    assert (status, "no camera 'nobody'" in told) == (2, True)
    status, told = doctor("--adopt", "porch")
    assert "is now snapshot" in told
    assert (status, "0 differences in 2 snapshots" in told) == (0, True)


@pytest.mark.promise("inv I9")
def test_a_file_of_the_second_archive_is_missed_as_well(here: Core, tmp_path: Path):
    here.arrive(picture(), name="a.jpg")
    result = analyzed(here.told[0], "cat")
    here.journal.finish("detector", here.told[0], [result])
    archives = {"folder": tmp_path / "one", "nas": tmp_path / "two"}
    for name, root in archives.items():
        archive = FolderArchive(root, name)
        archive.prepare(first=True)
        filer = FileSnapshots(archive, here.store, here.journal, policy="everything")
        here.journal.finish(f"drive-{name}", result, events_of(filer(result)))
    doctor = Doctor(here.store, here.journal, archives, level="hashes", grace_s=1e9)
    assert list(doctor.findings()) == []
    (lost,) = (tmp_path / "two").rglob("*.jpg")
    lost.unlink()

    (found,) = doctor.findings()

    assert (found.invariant, str(lost) in found.remedy) == ("I9", True)
