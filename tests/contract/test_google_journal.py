"""The ids of Google Drive are recorded in each kind of database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.simulator.google.account import SimulatedGoogle
from shared.journal import Journal
from tests.support.google_archive import google_archive, numbered, persist


@pytest.mark.promise("fault G1", "fault G6", "inv I9")
def test_the_same_pictures_by_two_at_once_are_one_file_each(
    google: SimulatedGoogle, journal: Journal, tmp_path: Path
) -> None:
    archives = [google_archive(google, tmp_path, journal) for _ in range(2)]
    given = [(each, numbered(tmp_path, number)) for number in range(4) for each in archives]

    with ThreadPoolExecutor(8) as pool:
        filed = list(pool.map(lambda one: persist(*one), given))

    for each in archives:
        each.client.close()
    assert {each.key for each in filed} == {file.id for _, file in google.live()}
    assert len(google.live()) == 4
    folders = [file.title for file in google.tree.every() if file.is_folder and file.parent]
    assert sorted(folders) == ["11", "2026", "22", "Snapbus"]
