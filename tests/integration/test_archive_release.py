"""What may be deleted from the store: only what is verified elsewhere and held by nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from services.drive.archives.archive import Archive, Entry
from services.drive.archives.folder import FolderArchive
from services.drive.copies import Encryption
from services.drive.hold import HoldSnapshots
from services.drive.verified.release import Release
from shared.errors import Unreachable
from shared.events import Event, SnapshotKept, SnapshotSkipped
from shared.settings.archive import RetentionSection
from tests.support.filed import Filed, folder_archive
from tests.support.making import Core, core, picture, taken


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Core]:
    with closing(core(tmp_path / "data")) as made:
        yield made


@pytest.fixture
def filed(here: Core, tmp_path: Path) -> Filed:
    archives = {name: folder_archive(tmp_path / name, name) for name in ("one", "two")}
    return Filed(here, archives, {})


def why_not(filed: Filed, of: Mapping[str, Archive] | None = None, **section: object) -> str:
    setting = RetentionSection.model_validate(section)
    release = Release(of or filed.archives, filed.here.journal, setting)
    return release.why_not(str(filed.here.told[-1].snapshot_id))


def say(filed: Filed, kept: bool, holder: str = "page", number: int = 0) -> Event:
    event = filed.here.told[-1]
    data = SnapshotKept(camera="porch", kept=kept, holder=holder)
    said = data.event(
        subject="porch", cause=f"{kept} {holder} {number}", snapshot_id=event.snapshot_id
    )
    filed.here.journal.append([said])
    return said


@pytest.mark.promise("inv I11", "feat F12")
def test_an_original_goes_only_once_every_archive_holds_it_and_nobody_keeps_it(filed: Filed):
    everything = filed.archives
    filed.archives = {"one": everything["one"]}
    filed.file(1)
    filed.archives = everything
    assert "archive two holds no copy" in why_not(filed)
    assert why_not(filed, archives=["one"]) == ""

    filed.file(2)
    assert why_not(filed) == ""
    say(filed, True)
    say(filed, True, "one")
    assert why_not(filed) == "it is held by one and page"
    say(filed, False)
    assert why_not(filed) == "it is held by one"
    say(filed, False, "one")
    assert why_not(filed) == ""


@pytest.mark.promise("inv I11")
@pytest.mark.parametrize("how", ["removed", "damaged", "flipped", "away"])
def test_what_an_archive_said_is_not_believed_but_looked_at(filed: Filed, tmp_path: Path, how: str):
    path = tmp_path / "two" / filed.file(1)
    if how == "removed":
        path.unlink()
    elif how == "away":
        (tmp_path / "two").rename(tmp_path / "off")
    else:
        path.write_bytes(b"damaged" if how == "damaged" else picture(2))
    problem = why_not(filed)
    assert problem.startswith("archive two")
    assert {"removed": "lost", "away": "can't be asked"}.get(how, "damaged") in problem


@pytest.mark.promise("inv I11")
def test_what_an_archive_does_not_want_the_others_must_hold(filed: Filed):
    everything = filed.archives
    filed.archives = {"one": everything["one"]}
    filed.file(1)
    event = filed.here.told[-1]
    data = SnapshotSkipped(camera="porch", archive="two", policy="people")
    filed.here.journal.append([data.event(subject="porch", cause=event)])
    assert why_not(filed, everything) == ""
    assert why_not(filed, everything, archives=["two"]) == "no archive is to hold it"


@pytest.mark.promise("inv I11", "feat F23")
def test_an_encrypted_copy_counts_only_by_choice(here: Core, tmp_path: Path):
    recipient = "age1qdqqte3u306p9dmndjcnndaq8u65jdp8pm4j0hdrj8363pywwsqql3hxvx"
    filed = Filed(here, {"one": folder_archive(tmp_path / "one", "one")}, {"one": recipient})
    filed.file(1)
    assert "no copy that counts" in why_not(filed)
    assert why_not(filed, copies=["original", "encrypted"]) == ""


def test_what_nobody_knows_stays(filed: Filed):
    release = Release(filed.archives, filed.here.journal, RetentionSection())
    assert release.why_not("0" * 26) == "the journal does not know it"


class Starred(FolderArchive):
    """A folder in which people starred some files."""

    stars: tuple[str, ...] = ()

    def day(self, day: date) -> Iterator[Entry]:
        for entry in super().day(day):
            yield replace(entry, starred=entry.path in self.stars)


@pytest.mark.promise("inv I11", "feat F12")
def test_a_star_counts_on_every_copy_and_in_every_archive(filed: Filed, tmp_path: Path):
    recipient = "age1qdqqte3u306p9dmndjcnndaq8u65jdp8pm4j0hdrj8363pywwsqql3hxvx"
    archive = Starred(tmp_path / "two", "two")
    filed.archives = {**filed.archives, "two": archive}
    original = filed.file(1)
    filed.archives = {"two": archive}
    filed.encryption["two"] = Encryption([recipient], tmp_path / "encrypted")
    encrypted = filed.refile()
    everything = {"one": folder_archive(tmp_path / "one", "one"), "two": archive}
    choices: list[dict[str, object]] = [
        {"copies": ["original"]},
        {"copies": ["original", "encrypted"]},
        {"copies": ["encrypted"], "archives": ["two"]},
        {"archives": ["one"]},
    ]
    for stars in ((), (original,), (encrypted,)):
        archive.stars = stars
        for each in choices:
            expected = "it is starred in archive two" if stars else ""
            assert why_not(filed, everything, **each) == expected, (stars, each)

    (tmp_path / "two").rename(tmp_path / "off")
    assert "archive two can't be asked" in why_not(filed, everything, archives=["one"])


# Holds reach archives


class Ruled(FolderArchive):
    """A folder with rules of its own, which remembers what is exempt from them."""

    exempt: dict[str, bool]

    def hold(self, entry: Entry, *, on: bool) -> None:
        self.exempt[entry.path] = on


@pytest.mark.promise("feat F12")
def test_a_hold_reaches_an_archive_before_and_after_filing(filed: Filed, tmp_path: Path):
    archive = Ruled(tmp_path / "ruled", "ruled")
    archive.exempt = {}
    archive.prepare(first=True)
    handler = HoldSnapshots(archive, filed.here.journal)
    filed.archives = {"ruled": archive}
    filed.encryption["ruled"] = filed.encryption["one"]
    path = filed.file(1)
    assert archive.exempt == {}

    assert handler(say(filed, True)) == []
    assert archive.exempt == {path: True}
    assert handler(say(filed, False)) == []
    assert archive.exempt == {path: False}

    filed.archives = {}
    filed.here.arrive(picture(2))
    early = say(filed, True, number=2)
    with pytest.raises(Unreachable):  # it waits until the picture is filed
        handler(early)
    assert handler(say_of_nobody()) == []


def say_of_nobody() -> Event:
    data = SnapshotKept(camera="porch", kept=True, holder="page")
    return data.event(subject="porch", cause=taken(99), snapshot_id=taken(99).snapshot_id)
