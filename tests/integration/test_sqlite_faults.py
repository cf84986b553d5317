"""SQLite on a damaged, full or foreign disk, and killed while it tidies up."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
import struct
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from sqlalchemy import event

from shared.errors import ConfigError, JournalUnavailable
from shared.events import CameraFailed, Event
from shared.journal import Journal, sqlite_file
from shared.journal.sqlite_file import file_system
from tests.support.fakes import eventually
from tests.support.making import taken
from tests.support.processes import Process
from tests.support.rights import need_rights
from tests.support.volume import Disk


def old_events() -> list[Event]:
    """So many that they fill pages which nothing new touches."""
    return [
        CameraFailed(camera="gate", reason="x" * 500).event(subject="gate", cause=str(number))
        for number in range(300)
    ]


def damage_old_events(path: Path, how: str = "overwritten") -> None:
    """Damage the page of the oldest events (SQLite file format, section 1.6)."""
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = file.execute("PRAGMA page_size").fetchone()[0]
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'events'"
        page = file.execute(query).fetchone()[0]
    with path.open("r+b") as raw:
        while True:
            raw.seek((page - 1) * size)
            content = raw.read(size)
            if content[0] == 0x0D:  # a leaf
                raw.seek((page - 1) * size)
                if how == "overwritten":
                    raw.write(bytes(100) + os.urandom(size - 100))
                else:  # the places of its first two rows exchanged: readable, and wrong
                    raw.write(content[:8] + content[10:12] + content[8:10])
                return
            first = struct.unpack(">H", content[12:14])[0]
            page = struct.unpack(">I", content[first : first + 4])[0]


@pytest.mark.promise("fault B1")
@pytest.mark.parametrize("how", ["overwritten", "in disorder"])
def test_a_damaged_page_is_found_and_nothing_is_written_from_then_on(tmp_path: Path, how: str):
    with closing(Journal.open(f"sqlite:///{tmp_path}/journal.db")) as journal:
        journal.append(old_events())
        journal.audit.check_file()
    damage_old_events(tmp_path / "journal.db", how)

    with closing(Journal.open(f"sqlite:///{tmp_path}/journal.db")) as journal:
        assert journal.append([taken(1)]), "nobody would notice"
        with pytest.raises(JournalUnavailable, match=r"is damaged.*backup"):
            journal.audit.check_file()
        with pytest.raises(JournalUnavailable, match="is damaged"):
            journal.append([taken(2)])


@pytest.mark.promise("fault B1", "inv I6")
def test_with_a_damaged_database_pictures_wait_until_a_backup_is_in_its_place(local: Process):
    with closing(Journal.open(local.settings.journal_url)) as journal:
        journal.append(events := old_events())
        journal.mark_published([each.id for each in events])
    file = local.settings.data / "snapbus.db"
    backup = shutil.copy(file, local.folder / "backup.db")
    damage_old_events(file)

    local.start()
    eventually(lambda: "the database is damaged" in str(local.get("/ready")), timeout=40)
    local.send(0, 1)
    local.taken()
    local.stop()
    for each in local.settings.data.glob("snapbus.db*"):
        each.unlink()
    shutil.copy(backup, file)

    local.start().ready()
    local.all_filed(2)
    local.stop()


@pytest.mark.promise("fault B1")
@pytest.mark.parametrize("kind", ["nfs4", "cifs", "ext4"])
def test_a_database_on_a_network_share_is_refused(tmp_path: Path, monkeypatch, kind: str):
    place = tmp_path / "my share"
    place.mkdir()
    mounts = tmp_path / "mountinfo"
    shown = str(place).replace(" ", r"\040")
    mounts.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        f"2 1 8:2 / {shown} rw shared:1 - btrfs /dev/sdb1 rw\n"
        f"3 1 0:50 / {shown} rw,relatime shared:2 master:7 - {kind} server:/x rw\n"
    )
    monkeypatch.setattr(sqlite_file, "MOUNTS", mounts)
    assert file_system(tmp_path) == "ext4"
    assert file_system(place) == kind
    if kind == "ext4":
        Journal.open(f"sqlite:///{place}/journal.db").close()
        return
    with pytest.raises(ConfigError, match=f"network share.*{kind}.*PostgreSQL"):
        Journal.open(f"sqlite:///{place}/journal.db")


def test_the_kernel_tells_on_what_a_folder_is(tmp_path: Path, monkeypatch):
    assert file_system(Path("/proc")) == "proc"
    assert file_system(tmp_path) not in ("", "proc")
    monkeypatch.setattr(sqlite_file, "MOUNTS", tmp_path / "none")
    assert file_system(tmp_path) == ""


@pytest.mark.promise("fault B1")
def test_a_full_disk_refuses_what_it_can_not_keep_and_loses_nothing(tmp_path: Path):
    need_rights("a volume of its own")
    disk = Disk(tmp_path / "disk", megabytes=8)
    with closing(disk), closing(Journal.open(f"sqlite:///{disk.root}/journal.db")) as journal:
        kept = list(map(taken, range(1000)))
        for begin in range(0, 1000, 100):
            journal.append(kept[begin : begin + 100])
        disk.fill()
        with pytest.raises(JournalUnavailable, match="full"):  # also when it tidies up its log
            for number in range(1000, 3000):
                journal.append([taken(number)])
                kept.append(taken(number))
        assert journal.read.newest_seq() == len(kept)
        disk.free()
        assert journal.append([taken(5000)])
        kept.append(taken(5000))
        journal.audit.check_file()
        stored = {each.event.id for each in journal.read.latest_events(5000)}
        assert stored == {each.id for each in kept}


def write(url: str, first: int, told: Connection) -> None:
    """Commit one event after the other, and tell each; SQLite tidies up after every commit."""
    with closing(Journal.open(url)) as journal:
        engine = journal._database.engine
        event.listen(
            engine, "checkout", lambda raw, *_: raw.execute("PRAGMA wal_autocheckpoint = 1")
        )
        for number in range(first, first + 100_000):
            journal.append([taken(number)])
            told.send(number)


@pytest.mark.promise("fault B1", "inv I1")
def test_killed_while_it_tidies_up_its_log_it_has_all_that_was_committed(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/journal.db"
    context = multiprocessing.get_context("forkserver")
    told: set[int] = set()
    for number in range(2):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=write, args=(url, number * 100_000, theirs))
        process.start()
        theirs.close()
        for _ in range(50 + 7 * number):
            assert ours.poll(30)
            told.add(ours.recv())
        process.kill()
        process.join(10)
        while True:
            try:
                told.add(ours.recv())
            except EOFError:
                break
        with closing(Journal.open(url)) as journal:
            journal.audit.check_file()
            stored = {each.event.id for each in journal.read.latest_events(100_000)}
            assert {taken(each).id for each in told} <= stored
            assert len(stored) <= len(told) + number + 1
