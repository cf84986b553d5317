"""The Google archive keeps its promises whatever Google does: real PyDrive2 over real HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.drive.archives.archive import Filing
from services.drive.archives.google.archive import GoogleArchive
from services.simulator.google.account import SimulatedGoogle
from shared.journal import Journal
from tests.support.google import simulated_google
from tests.support.google_archive import google_archive
from tests.support.making import picture, sqlite_journal

TIME = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


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


def filing(folder: Path, number: int = 1) -> Filing:
    source = folder / f"{number}.jpg"
    source.write_bytes(picture(number))
    digest = hashlib.sha256(picture(number)).hexdigest()
    return Filing(
        f"01ABC{number}", "porch", TIME, "image/jpeg", digest, source.stat().st_size, source
    )


@pytest.mark.promise("feat F1")
def test_a_picture_is_one_file_in_its_days_folder(google, archive, tmp_path):
    filed = archive.file(replace(filing(tmp_path), labels=("person", "car")))

    ((path, file),) = google.live()
    assert (
        path == f"/Snapbus/{filed.path}" == "/Snapbus/2026/11/22/porch_20261122-023000_01ABC1.jpg"
    )
    assert (file.id, file.md5) == (filed.key, hashlib.md5(picture(1)).hexdigest())
    assert "person, car" in file.description
