"""Old files in Google Drive come into folders by day: moved, once, and never what is starred."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.drive.archives.google.archive import GoogleArchive
from services.drive.archives.google.folders import MIME
from services.simulator.google.account import OWNER, SimulatedGoogle
from services.simulator.google.file import File
from shared.journal import Journal
from tests.support.google import simulated_google
from tests.support.google_archive import google_archive, numbered, persist
from tests.support.making import sqlite_journal

BERLIN = ZoneInfo("Europe/Berlin")
LATE = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)  # the 5th in Berlin


@pytest.fixture
def google() -> Iterator[SimulatedGoogle]:
    with simulated_google() as simulated:
        yield simulated


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = sqlite_journal(tmp_path / "journal.db")
    yield journal
    journal.close()


@pytest.fixture
def archive(google: SimulatedGoogle, journal: Journal, tmp_path: Path) -> Iterator[GoogleArchive]:
    archive = google_archive(google, tmp_path, journal, zone=BERLIN)
    yield archive
    archive.client.close()


def put(archive: GoogleArchive, title: str, taken: datetime = LATE, folder: str = "") -> str:
    """A file as the program before Snapbus left it."""
    file_id = archive.client.ids(1)[0]
    body = {
        "id": file_id,
        "title": title,
        "parents": [{"id": folder or archive.folders.top}],
        "createdDate": f"{taken:%Y-%m-%dT%H:%M:%S}.000Z",
    }
    archive.client.insert(body, title.encode(), "id")
    return file_id


def star(google: SimulatedGoogle, file_id: str) -> None:
    with google.lock:
        google.tree.put(replace(google.tree.get(file_id), starred=frozenset({OWNER})))


def paths(google: SimulatedGoogle) -> list[str]:
    return sorted(path.removeprefix("/Snapbus/") for path, _ in google.live())


def files(google: SimulatedGoogle) -> dict[str, File]:
    return {file.title: file for _, file in google.live()}


def run(archive: GoogleArchive) -> dict[str, int]:
    return dict(archive.archiver.run(lambda counts: None))


@pytest.mark.promise("feat F11", "feat F12", "feat F13")
def test_what_lies_flat_is_moved_to_its_day_and_nothing_is_sent_again(google, archive):
    ids = [put(archive, f"human_porch_{number}.jpg") for number in range(3)]
    put(archive, "young.jpg", datetime.now(UTC) - timedelta(hours=2))
    star(google, put(archive, "starred.jpg"))
    sent = google.calls["upload.put"]

    assert run(archive) == {"moved": 3, "young": 1, "starred": 1}

    assert paths(google) == [
        *(f"2026/03/05/human_porch_{number}.jpg" for number in range(3)),
        "starred.jpg",
        "young.jpg",
    ]
    assert {file.id for file in files(google).values()} > set(ids)
    assert google.calls["upload.put"] == sent
    assert run(archive) == {"young": 1, "starred": 1}


@pytest.mark.promise("feat F13", "fault G6")
def test_folders_of_the_program_before_are_taken_as_they_are(google, archive):
    parent = archive.folders.top
    for title in ("2026", "03", "05"):
        body = {"title": title, "mimeType": MIME, "parents": [{"id": parent}]}
        parent = archive.client.insert({"id": archive.client.ids(1)[0], **body}, None, "id")["id"]
    put(archive, "before.jpg", folder=parent)
    put(archive, "flat.jpg")

    assert run(archive) == {"moved": 1}

    assert paths(google) == ["2026/03/05/before.jpg", "2026/03/05/flat.jpg"]
    titles = sorted(each.title for each in google.tree.every() if each.is_folder and each.parent)
    assert titles == ["03", "05", "2026", "Snapbus"]


@pytest.mark.promise("feat F12", "fault G5")
def test_a_star_that_lists_do_not_show_yet_counts(google, archive):
    file_id = put(archive, "porch.jpg")
    google.tree.lag = 3600.0
    star(google, file_id)

    assert run(archive) == {"starred": 1}

    assert paths(google) == ["porch.jpg"]


@pytest.mark.promise("fault G5", "fault G6")
def test_two_archivers_at_once_and_lists_that_lag_harm_nothing(google, archive, journal, tmp_path):
    for number in range(30):
        put(archive, f"{number}.jpg", LATE + timedelta(days=number % 3))
    star(google, put(archive, "starred.jpg"))
    google.tree.lag = 2.0
    other = google_archive(google, tmp_path, journal, zone=BERLIN)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run, (archive, other)))
    other.client.close()

    assert sum(each.get("moved", 0) for each in done) >= 30
    moved = [path for path in paths(google) if path != "starred.jpg"]
    assert [path.rpartition("/")[0] for path in moved] == [
        f"2026/03/{day:02}" for day in (5, 6, 7) for _ in range(10)
    ]
    folders = [each.title for each in google.tree.every() if each.is_folder and each.parent]
    assert len(folders) == len(set(folders)) == 6


@pytest.mark.promise("fault G5")
def test_a_file_that_may_not_be_moved_keeps_no_other_from_it(google, archive):
    for number in range(5):
        put(archive, f"{number}.jpg")
    google.fail("insufficientFilePermissions", on="files.patch")

    assert run(archive) == {"moved": 5}, "the next pass moves it"
    assert len(paths(google)) == 5


def test_a_word_to_stop_is_heard_between_two_files(google, archive):
    for number in range(30):
        put(archive, f"{number}.jpg")
    asked = iter(range(10_000))

    done = archive.archiver.run(lambda counts: None, lambda: next(asked) > 8)

    assert 0 < done["moved"] < 30
    assert done["moved"] + done["left for the next time"] == 30
    assert run(archive) == {"moved": 30 - done["moved"]}


@pytest.mark.promise("feat F12")
def test_a_filing_that_people_starred_and_moved_is_left_alone(google, archive, tmp_path):
    filed = persist(archive, numbered(tmp_path))
    with google.lock:
        file, top = google.tree.get(filed.key), archive.folders.top
        google.tree.put(replace(file, parent=top, starred=frozenset({OWNER})))
    with google.lock:
        google.tree.put(replace(google.tree.get(filed.key), created=LATE.timestamp()))

    assert run(archive) == {"starred": 1}
    assert persist(archive, numbered(tmp_path)).key == filed.key
    assert paths(google) == [file.title]
