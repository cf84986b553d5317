"""What drive files, under which policy, and what it says of it."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from services.detector.analyst import Analyst
from services.drive import archives
from services.drive.app import build
from services.drive.archives import folder
from services.drive.archives.archive import Filed, Filing
from services.drive.archives.folder import MARKER, FolderArchive
from services.drive.file import FileSnapshots
from shared.errors import ConfigError, Reject, Retry, SnapshotMissing
from shared.events import Event, SnapshotAnalyzed
from shared.journal import Journal
from shared.service import Context, Service
from shared.settings.archive import DriveSection
from tests.support.making import START, Core, analyzed, core, events_of, picture, taken
from tests.support.pictures import damaged, jpeg


def built(context: Context) -> Service:
    """The service of the only archive."""
    (service,) = build(context)
    return service


class Archive(FolderArchive):
    """Remembers what it was given."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"), "memory")
        self.filed: list[Filing] = []

    def prepare(self, *, first: bool) -> None:
        """Nothing is needed."""

    def file(self, filing: Filing) -> Filed:
        self.filed.append(filing)
        return Filed("2026/03/a.jpg", link="https://archive/a")

    def about(self) -> Mapping[str, Any]:
        return {"ok": True}


@pytest.fixture
def seen(here: Core) -> Event:
    """A stored picture, analyzed."""
    here.arrive(picture(), name="a.jpg")
    return analyzed(here.told[0], "cat")


def filer(here: Core, archive: Archive, policy: str = "everything") -> FileSnapshots:
    return FileSnapshots(archive, here.store, here.journal, policy=policy)


def test_what_is_filed_is_told_with_place_and_checksum(here: Core, seen: Event):
    archive = Archive()
    (event,) = filer(here, archive)(seen)
    assert event.topic == "snapshot.archived"
    assert (event.data["archive"], event.data["path"]) == ("memory", "2026/03/a.jpg")
    assert (event.data["kind"], event.data["link"]) == ("original", "https://archive/a")
    (filing,) = archive.filed
    assert filing.source.read_bytes() == picture()
    assert event.data["sha256"] == filing.sha256
    assert event.cause == seen.id


@pytest.mark.promise("inv I8")
def test_filing_again_says_the_same(here: Core, seen: Event):
    first, second = filer(here, Archive())(seen), filer(here, Archive())(seen)
    assert [event.id for event in first] == [event.id for event in second]


@pytest.mark.parametrize(
    ("policy", "labels", "confidence", "filed"),
    [
        ("everything", [], 0.9, True),
        ("objects", [], 0.9, False),
        ("objects", ["cat"], 0.1, True),
        ("people", ["cat"], 0.9, False),
        ("people", ["person"], 0.79, False),
        ("people", ["cat", "person"], 0.8, True),
    ],
)
def test_the_policy_decides(here: Core, seen: Event, policy, labels, confidence, filed: bool):
    archive = Archive()
    event = analyzed(here.told[0], *labels, confidence=confidence)
    (answer,) = filer(here, archive, policy)(event)
    assert answer.topic == ("snapshot.archived" if filed else "snapshot.skipped")
    assert len(archive.filed) == filed


def test_who_does_not_say_whether_there_are_people_is_taken_to_have_seen_some(
    here: Core, seen: Event
):
    data = SnapshotAnalyzed(camera="porch", analyzed=True, engine="of an earlier version")
    event = data.event(subject="porch", cause=here.told[0])
    assert filer(here, Archive(), "people")(event)[0].topic == "snapshot.archived"


@pytest.mark.parametrize("policy", ["objects", "people"])
def test_what_nobody_analysed_is_filed_under_every_policy(here: Core, seen: Event, policy: str):
    data = SnapshotAnalyzed(camera="porch", analyzed=False, reason="no model")
    event = data.event(subject="porch", cause=here.told[0])
    assert filer(here, Archive(), policy)(event)[0].topic == "snapshot.archived"


@pytest.mark.promise("inv I6")
def test_switched_off_it_files_nothing_and_holds_nobody_up(here: Core, seen: Event):
    drive = here.settings.drive.model_copy(update={"enabled": False})
    settings = here.settings.model_copy(update={"drive": drive})
    service = built(dataclasses.replace(here.parts, settings=settings))
    (event,) = events_of(service.handlers["snapshot.analyzed"](seen))
    assert (event.topic, event.data["policy"]) == ("snapshot.skipped", "off")
    assert service.about() == {"ok": True, "summary": "switched off by drive.enabled"}
    assert not (here.settings.data / "archive").exists()


@pytest.mark.promise("feat F11")
@pytest.mark.parametrize(
    ("setting", "machine", "path"),
    [
        ("", "Asia/Tokyo", "2026/03/02/porch_20260302-0430"),
        ("America/New_York", "Asia/Tokyo", "2026/03/01/porch_20260301-1430"),
        ("UTC", "Asia/Tokyo", "2026/03/01/porch_20260301-1930"),
    ],
)
def test_a_day_is_that_of_the_setting_or_else_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, machine: str, path: str
):
    here = core(tmp_path, {"drive": {"timezone": setting}})
    with contextlib.closing(here.journal), monkeypatch.context() as patch:
        patch.setenv("TZ", machine)
        time.tzset()
        here.arrive(picture(), captured_at=START + timedelta(hours=7.5))
        handler = built(here.parts).handlers["snapshot.analyzed"]
        (event,) = events_of(handler(analyzed(here.told[0])))
    time.tzset()
    assert event.data["path"].startswith(path)


@pytest.mark.promise("fault D4")
def test_a_snapshot_nobody_knows_can_not_be_filed(here: Core):
    with pytest.raises(Reject, match="catalogue"):
        filer(here, Archive())(analyzed(taken(5)))


def test_a_lost_file_is_an_error_not_an_archived_snapshot(here: Core, seen: Event):
    here.store.path(here.told[0].data["sha256"]).unlink()
    with pytest.raises(SnapshotMissing):
        filer(here, Archive())(seen)


@pytest.mark.promise("fault W6")
def test_the_service_makes_its_folder_once_and_never_in_an_empty_mount_point(here: Core):
    root = here.settings.data / "archive"
    first = built(here.parts)
    assert first.about()["ok"]
    assert first.look_up_first  # filing is an effect outside
    assert (root / MARKER).is_file()
    (root / MARKER).unlink()  # the volume is not mounted today
    service = built(here.parts)
    assert not service.about()["ok"]
    assert MARKER in service.about()["summary"]
    assert not any(root.iterdir())
    with pytest.raises(Retry, match="mounted"):
        FolderArchive(root).file(Filing("1", "a", taken(1).time, "image/jpeg", "0", 1, root))


@pytest.mark.promise("fault X2")
def test_folder_and_marker_are_synced_before_the_journal_remembers_them(
    here: Core, monkeypatch: pytest.MonkeyPatch
):
    root, order = here.settings.data / "archive", []
    remember = here.journal.facts.remember

    def synced(path: Path) -> None:
        order.append((path, (root / MARKER).exists()))

    def remembered(name: str, value: str) -> None:
        order.append((Path(value), True))
        remember(name, value)

    monkeypatch.setattr(folder, "sync_folder", synced)
    monkeypatch.setattr(here.journal.facts, "remember", remembered)
    built(here.parts)

    assert order == [(root.parent, False), (root, True), (root, True)]


def test_a_folder_that_can_not_be_made_is_a_mistake_of_the_configuration(here: Core):
    (here.settings.data / "file").touch()
    drive = here.settings.drive.model_copy(update={"folder": Path("file/archive")})
    settings = here.settings.model_copy(update={"drive": drive})
    with pytest.raises(ConfigError, match=r"drive\.folder: .*archive"):
        built(dataclasses.replace(here.parts, settings=settings))


@pytest.mark.promise("feat F9")
def test_a_damaged_picture_is_never_filed_and_a_sound_one_is(tmp_path: Path):
    here = core(tmp_path, {"drive": {"policy": "everything"}})
    drive, analyst = built(here.parts), Analyst(here.store, None, reason="no model")

    def filed(data: bytes) -> list[str]:
        """What is announced of a picture when each service does its part."""
        here.told.clear()
        here.arrive(data)
        (said,) = analyst(here.told[0])
        handler = drive.handlers.get(said.topic)
        return [said.topic, *(event.topic for event in events_of(handler(said) if handler else ()))]

    broken = damaged(jpeg())
    for name in ("tail of zeros, then an end", "flipped bytes"):
        assert filed(broken[name]) == ["snapshot.rejected"]
    assert not list(tmp_path.rglob("archive/2*/**/*.jpg"))
    assert filed(jpeg()) == ["snapshot.analyzed", "snapshot.archived"]
    here.journal.close()


def test_every_kind_of_the_settings_has_an_archive_in_a_file_of_its_own():
    assert set(archives.KINDS) == set(get_args(DriveSection.model_fields["archive"].annotation))
    modules = {make.__module__ for make in archives.KINDS.values()}
    assert modules == {f"services.drive.archives.{kind}" for kind in archives.KINDS}


def test_the_setting_chooses_the_kind_of_archive(here: Core, monkeypatch):
    made: list[tuple[str, Path]] = []

    class Cellar(FolderArchive):
        def about(self):
            return {"ok": True, "summary": "in the cellar"}

    def cellar(name: str, section: DriveSection, data: Path, _journal: Journal) -> Cellar:
        made.append((name, data / section.folder))
        return Cellar(data / section.folder, name)

    monkeypatch.setattr(archives, "KINDS", {**archives.KINDS, "cellar": cellar})
    section = DriveSection(folder=Path("down")).model_copy(update={"archive": "cellar"})
    settings = here.settings.model_copy(update={"drive": section})

    service = built(dataclasses.replace(here.parts, settings=settings))

    assert service.about()["summary"] == "in the cellar"
    assert made == [("cellar", settings.data / "down")]
