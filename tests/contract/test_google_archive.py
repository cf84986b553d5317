"""The Google archive keeps its promises whatever Google does: real PyDrive2 over real HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from services.drive.archives.google.archive import GoogleArchive
from services.simulator.google.account import OWNER, SimulatedGoogle
from shared.errors import Unreachable
from shared.journal import Journal
from tests.support.google import simulated_google
from tests.support.google_archive import google_archive, log_in, numbered, persist
from tests.support.making import picture, sqlite_journal


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
    archive = google_archive(google, tmp_path, journal)
    yield archive
    archive.client.close()


@pytest.mark.promise("feat F1")
def test_a_picture_is_one_file_in_its_days_folder(google, archive, tmp_path):
    filed = archive.file(replace(numbered(tmp_path), labels=("person", "car")))

    ((path, file),) = google.live()
    assert (
        path == f"/Snapbus/{filed.path}" == "/Snapbus/2026/11/22/porch_20261122-023000_01ABC1.jpg"
    )
    assert (file.id, file.md5) == (filed.key, hashlib.md5(picture(1)).hexdigest())
    assert "person, car" in file.description


_AT = {
    "files.generateIds": ("503", "502", "reset", "userRateLimitExceeded"),
    "files.insert": ("500", "503 HTML", "lost", "cut"),
    "files.list": ("502", "cut"),
    "upload.begin": ("429", "rateLimitExceeded", "401", "502", "reset", "lost"),
    "upload.put": ("500", "half", "lost", "cut", "reset", "session 404", "session 410", "503 HTML"),
    "token": ("503", "503 HTML", "reset"),
}
PASSING = [(operation, fault) for operation, faults in _AT.items() for fault in faults]


@pytest.mark.promise("fault G2", "inv I9")
@pytest.mark.parametrize(("operation", "fault"), PASSING)
def test_a_passing_fault_leaves_one_file(google, archive, tmp_path, operation: str, fault: str):
    google.fail(fault, fault, on=operation)

    filed = persist(archive, numbered(tmp_path))

    assert google.faults.happened[fault], "after a lost answer the second time is a 409"
    ((path, file),) = google.live()
    assert (path, file.id) == (f"/Snapbus/{filed.path}", filed.key)
    assert file.md5 == hashlib.md5(picture(1)).hexdigest()
    assert len(google.tree.every()) == 6, "root, four folders and the picture; nothing in the trash"


@pytest.mark.promise("fault G2", "inv I9")
def test_many_pictures_in_a_storm_are_each_one_file(google, archive, tmp_path):
    google.storm(0.3, 7)

    with ThreadPoolExecutor(4) as pool:
        given = [numbered(tmp_path, number) for number in range(40)]
        filed = list(pool.map(lambda each: persist(archive, each, 400), given))
    google.calm()

    assert sorted(path for path, _ in google.live()) == sorted(
        f"/Snapbus/{each.path}" for each in filed
    )
    assert {file.md5 for _, file in google.live()} == {
        hashlib.md5(picture(number)).hexdigest() for number in range(40)
    }
    folders = [file.title for file in google.tree.every() if file.is_folder and file.parent]
    assert sorted(folders) == ["11", "2026", "22", "Snapbus"]
    assert google.most_at_once <= 4


@pytest.mark.promise("fault G2")
def test_an_answer_that_drips_or_never_comes_ends_with_the_deadline(google, journal, tmp_path):
    archive = google_archive(google, tmp_path, journal, timeout_s=0.5)
    google.storm(1.0, 0, "silent", on="upload.put")
    with pytest.raises(Unreachable, match=r"within 0\.5 s"):
        archive.file(numbered(tmp_path))
    google.calm()
    google.fail("slow", on="upload.put")
    begun = google.calls["upload.begin"]
    persist(archive, numbered(tmp_path))
    archive.client.close()
    assert google.calls["upload.begin"] == begun + 2, "it was cut, and the next one found the file"
    assert len(google.live()) == 1


@pytest.mark.promise("fault G3")
@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("storageQuotaExceeded", "make room"),
        ("dailyLimitExceeded", "by itself"),
    ],
)
def test_what_stops_the_account_is_waited_for_and_says_what_to_do(
    google, archive, tmp_path, reason: str, remedy: str
):
    persist(archive, numbered(tmp_path, 1))
    google.storm(1.0, 0, reason)
    with pytest.raises(Unreachable, match=remedy) as error:
        archive.file(numbered(tmp_path, 2))
    assert error.value.after_s and error.value.after_s >= 600
    assert (archive.about()["ok"], remedy in archive.about()["summary"]) == (False, True)
    google.calm()
    archive.file(numbered(tmp_path, 2))
    assert archive.about()["ok"]
    assert len(google.live()) == 2


@pytest.mark.promise("fault G3", "feat F3")
def test_a_refused_token_is_asked_for_once_and_filing_goes_on_after_a_new_login(
    google, archive, tmp_path
):
    persist(archive, numbered(tmp_path, 1))
    google.revoke()
    for number in (2, 3, 4):
        with pytest.raises(Unreachable, match="drive:login"):
            archive.file(numbered(tmp_path, number))
    asked = google.calls.copy()
    with pytest.raises(Unreachable, match="drive:login"):
        archive.file(numbered(tmp_path, 2))
    assert google.calls == asked, "Google is not asked again with a token that it refused"
    assert "drive:login" in archive.about()["summary"]
    assert archive.about()["offer"] == "./taskw drive:login"

    google.allow("1//new")
    log_in(google, tmp_path, "1//new")
    for number in (2, 3, 4):
        archive.file(numbered(tmp_path, number))
    assert archive.about()["ok"]
    assert len(google.live()) == 4


@pytest.mark.promise("fault G3")
def test_another_account_is_not_stopped_by_that_of_the_first(google, archive, journal, tmp_path):
    with simulated_google() as other:
        second = google_archive(other, tmp_path / "second", journal, "second")
        google.revoke()
        with pytest.raises(Unreachable) as error:
            archive.file(numbered(tmp_path))
        assert error.value.peer == "archive google"
        second.file(numbered(tmp_path))
        second.client.close()
        assert len(other.live()) == 1


@pytest.mark.promise("fault G3", "fault G6")
@pytest.mark.parametrize("level", ["22", "2026", "Snapbus"])
@pytest.mark.parametrize("how", ["trash", "delete"])
def test_a_folder_that_somebody_removed_is_made_again(
    google, archive, tmp_path, level: str, how: str
):
    persist(archive, numbered(tmp_path, 1))
    (folder,) = (file for file in google.tree.every() if file.title == level)
    with google.lock:
        if how == "delete":
            google.tree.drop(folder.id)
        else:
            google.tree.put(replace(folder, trashed=True))
    filed = persist(archive, numbered(tmp_path, 2))

    assert [path for path, _ in google.live()] == [f"/Snapbus/{filed.path}"]


@pytest.mark.promise("fault G3", "inv I9")
@pytest.mark.parametrize("how", ["trash", "delete"])
def test_a_file_that_was_removed_before_it_was_confirmed_is_sent_again(
    google, archive, tmp_path, how: str
):
    first = persist(archive, numbered(tmp_path))
    with google.lock:
        if how == "delete":
            google.tree.drop(first.key)
        else:
            google.tree.put(replace(google.tree.get(first.key), trashed=True))

    second = persist(archive, numbered(tmp_path))

    assert [file.id for _, file in google.live()] == [second.key]
    assert how == "delete" or google.tree.get(first.key).trashed, "what a person did stays done"


@pytest.mark.promise("fault G4", "feat F8")
@pytest.mark.parametrize("starred", [False, True])
def test_other_bytes_are_sent_again_and_the_wrong_ones_are_in_the_trash_unless_starred(
    google, archive, tmp_path, starred: bool
):
    first = persist(archive, numbered(tmp_path))
    with google.lock:
        stars = frozenset({OWNER} if starred else ())
        wrong = replace(google.tree.get(first.key), md5="0" * 32, starred=stars)
        google.tree.put(wrong, b"other")

    second = persist(archive, numbered(tmp_path))

    assert second.key != first.key
    assert google.tree.get(first.key).trashed is not starred
    assert google.tree.get(second.key).md5 == hashlib.md5(picture(1)).hexdigest()


@pytest.mark.promise("fault G6")
def test_a_folder_is_made_once_by_many_at_once(google, tmp_path, journal):
    archives = [google_archive(google, tmp_path, journal) for _ in range(6)]
    google.tree.lag = 3600.0  # lists show nothing of what is new
    with ThreadPoolExecutor(6) as pool:
        given = [(each, numbered(tmp_path, number)) for number, each in enumerate(archives)]
        list(pool.map(lambda one: persist(*one), given))
    for each in archives:
        each.client.close()
    folders = [file.title for file in google.tree.every() if file.is_folder and file.parent]
    assert sorted(folders) == ["11", "2026", "22", "Snapbus"]
    assert len(google.live()) == 6
