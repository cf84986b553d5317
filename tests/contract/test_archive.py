"""What every archive promises. A kind joins by a rig in ``RIGS``."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import pytest

from services.drive.archives import folder as module
from services.drive.archives.archive import MANIFEST, Archive, Entry, Filing, NotThere
from services.drive.archives.folder import INCOMING, MARKER, FolderArchive
from shared.errors import Reject, Retry, Unreachable
from tests.support.google_archive import GoogleRig
from tests.support.making import picture
from tests.support.s3rig import S3Rig

TIME = datetime(2026, 12, 31, 23, 30, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))


class Rig(Protocol):
    """A kind of archive, prepared, and how a test looks into it and breaks it."""

    archive: Archive

    def __init__(self, folder: Path) -> None:
        """``folder`` is for whatever it needs on the disk."""

    def live(self) -> list[str]:
        """The paths of all its files."""

    def content(self, path: str) -> bytes: ...

    def damage(self, path: str) -> None:
        """Other bytes under this path, also a new one."""

    def remove(self, path: str) -> None: ...

    def away(self) -> None: ...

    def back(self) -> None: ...

    def close(self) -> None: ...


class FolderRig:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.archive: Archive = FolderArchive(root)
        self.archive.prepare(first=True)

    def live(self) -> list[str]:
        files = (path for path in self.root.rglob("*") if path.is_file())
        found = (path.relative_to(self.root).as_posix() for path in files)
        return sorted(path for path in found if path != MARKER)

    def content(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def damage(self, path: str) -> None:
        (self.root / path).write_bytes(b"damaged")

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def away(self) -> None:
        self.root.rename(self.root.with_name("away"))

    def back(self) -> None:
        self.root.with_name("away").rename(self.root)

    def close(self) -> None: ...


RIGS: list[type[Rig]] = [FolderRig, GoogleRig, S3Rig]


@pytest.fixture(params=RIGS)
def rig(request, tmp_path: Path) -> Iterator[Rig]:
    with closing(request.param(tmp_path / "archive")) as rig:
        yield rig


@pytest.fixture
def filing(tmp_path: Path) -> Filing:
    source = tmp_path / "blob"
    source.write_bytes(picture())
    digest = hashlib.sha256(picture()).hexdigest()
    return Filing("01ABC", "porch", TIME, "image/jpeg", digest, len(picture()), source)


@pytest.mark.promise("inv I9", "feat F11")
def test_a_picture_is_filed_under_year_month_and_day_as_people_look(rig, filing: Filing):
    path = rig.archive.file(filing).path
    assert path == "2027/01/01/porch_20270101-003000_01ABC.jpg"
    assert rig.content(path) == picture()
    assert rig.archive.about()["ok"]


@pytest.mark.promise("inv I9", "fault G1")
def test_filing_again_changes_nothing(rig, filing: Filing):
    assert rig.archive.file(filing) == rig.archive.file(filing)
    assert len(rig.live()) == 1


@pytest.mark.promise("feat F8", "fault G4")
def test_what_was_damaged_is_filed_again(rig, filing: Filing):
    path = rig.archive.file(filing).path
    rig.damage(path)
    assert rig.archive.file(filing).path == path
    assert rig.content(path) == picture()


@pytest.mark.promise("feat F8", "inv I9", "fault G4")
def test_a_copy_that_differs_is_never_confirmed(rig, filing: Filing):
    filing.source.write_bytes(b"rotten")
    with pytest.raises(Retry, match="differs"):
        rig.archive.file(filing)
    assert rig.live() == []


@pytest.mark.promise("inv I9")
def test_the_same_snapshot_filed_by_many_at_once_is_one_file(rig, filing: Filing):
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(rig.archive.file(filing).path), daemon=True)
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(rig.live()) == 1
    assert rig.content(found[0]) == picture()


def test_pictures_of_the_same_second_do_not_meet(rig, filing: Filing):
    for snapshot_id in ("01A", "01B"):
        rig.archive.file(Filing(snapshot_id, *_rest(filing)))
    assert len(rig.live()) == 2


def _rest(filing: Filing) -> tuple:
    return (
        filing.camera, filing.captured_at, filing.media_type, filing.sha256, filing.size,
        filing.source,
    )  # fmt: skip


DAY = date(2027, 1, 1)


def test_a_day_lists_what_it_holds_also_what_nobody_filed(rig: Rig, filing: Filing):
    assert list(rig.archive.days()) == []
    path = rig.archive.file(filing).path
    rig.damage("2027/01/01/foreign.txt")
    rig.archive.write_manifest(DAY, b"{}")
    assert list(rig.archive.days()) == [DAY]
    found = {each.path: each for each in rig.archive.day(DAY)}
    assert set(found) == {path, "2027/01/01/foreign.txt"}
    entry = found[path]
    assert entry.size == len(picture())
    assert entry.sha256 in {"", filing.sha256}
    assert entry.md5 in {"", hashlib.md5(picture(), usedforsecurity=False).hexdigest()}
    assert not entry.starred
    assert list(rig.archive.day(date(2026, 1, 1))) == []


def test_what_is_held_is_read_back(rig: Rig, filing: Filing):
    filed = rig.archive.file(filing)
    entry = Entry(filed.path, 0, key=filed.key)
    assert b"".join(rig.archive.read(entry)) == picture()
    rig.archive.hold(entry, on=True)
    rig.archive.hold(entry, on=False)
    rig.remove(filed.path)
    with pytest.raises(NotThere):
        list(rig.archive.read(entry))
    assert rig.archive.file(filing).path == filed.path
    assert rig.live() == [filed.path]


@pytest.mark.parametrize("path", ["../blob", "2027/../../blob", "/etc/hostname", "2027//01", "."])
def test_no_path_leads_out_of_an_archive(rig: Rig, filing: Filing, path: str):
    with pytest.raises((Reject, NotThere)):
        list(rig.archive.read(Entry(path, 0)))


def test_a_copy_of_another_kind_and_one_that_is_put_back_have_paths_of_their_own(
    rig: Rig, filing: Filing
):
    rig.archive.file(filing)
    encrypted = replace(filing, kind="encrypted", suffix=".jpg.age")
    assert rig.archive.file(encrypted).path == "2027/01/01/porch_20270101-003000_01ABC.jpg.age"
    put_back = replace(filing, at="2025/03/01/porch_20250301-000000_01ABC.jpg")
    assert rig.archive.file(put_back).path == put_back.at
    assert rig.content(put_back.at) == picture()
    assert len(rig.live()) == 3


def test_a_manifest_is_replaced_as_a_whole(rig: Rig, filing: Filing):
    assert rig.archive.manifest(DAY) == b""
    for data in (b"one\n", b"one\ntwo\n"):
        rig.archive.write_manifest(DAY, data)
        assert rig.archive.manifest(DAY) == data
    assert rig.live() == ["2027/01/01/" + MANIFEST]


@pytest.mark.promise("fault W6", "fault G3")
def test_an_archive_that_is_away_says_so_to_whoever_asks(rig: Rig, filing: Filing):
    entry = Entry(rig.archive.file(filing).path, 0)
    rig.away()
    for ask in (
        lambda: list(rig.archive.days()),
        lambda: list(rig.archive.day(DAY)),
        lambda: list(rig.archive.read(entry)),
        lambda: rig.archive.manifest(DAY),
        lambda: rig.archive.write_manifest(DAY, b"{}"),
    ):
        with pytest.raises(Unreachable):
            ask()


@pytest.mark.promise("fault W6", "fault G3")
def test_an_archive_that_is_away_is_asked_again_later(rig, filing: Filing):
    rig.away()
    with pytest.raises(Retry):
        rig.archive.file(filing)
    assert not rig.archive.about()["ok"]
    rig.back()
    assert rig.archive.file(filing)


@pytest.mark.promise("fault G3")
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_folder_that_fails_is_asked_again_and_keeps_no_half(
    tmp_path: Path, filing: Filing, monkeypatch, broken: str, number: int
):
    rig = FolderRig(tmp_path / "archive")

    def fails(*_args):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os if broken == "fsync" else Path, broken, fails)
        with pytest.raises(Retry, match=os.strerror(number)):
            rig.archive.file(filing)
    assert rig.live() == []
    assert rig.archive.file(filing)


@pytest.mark.promise("inv I9")
def test_a_file_is_synced_before_it_has_its_name_and_its_folders_after(
    tmp_path: Path, filing: Filing, monkeypatch
):
    rig = FolderRig(tmp_path / "archive")
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        order.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    def replaced(self: Path, target: Path) -> Path:
        order.append("replace")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    path = rig.archive.file(filing).path
    place = order.index("replace")
    assert [name.endswith(".part") for name in order[:place]] == [True]
    folders = [*Path(path).parts[2::-1], "archive"]
    assert order[place + 1 :] == folders

    order.clear()  # the next one repeats it, and who was first may have died before the syncs
    rig.archive.file(filing)
    assert order == folders


@pytest.mark.promise("fault G1")
def test_copies_of_a_crash_are_removed_at_the_next_start(tmp_path: Path, filing: Filing):
    rig = FolderRig(tmp_path / "archive")
    rig.archive.file(filing)
    old, fresh = (rig.root / INCOMING / name for name in ("old.part", "fresh.part"))
    old.touch()
    fresh.touch()
    then = time.time() - module.LEFT_S - 60
    os.utime(old, (then, then))
    FolderArchive(rig.root).prepare(first=False)
    assert not old.exists()
    assert fresh.exists()


def test_a_png_keeps_its_ending_and_times_are_those_of_the_house(filing: Filing):
    png = Filing("1", "a", TIME + timedelta(days=1), "image/png", "", 0, Path())
    assert png.title.endswith("_1.png")
