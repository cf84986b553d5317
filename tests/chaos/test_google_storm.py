"""Pictures end in Google Drive once, whole, by day, though calls fail and processes die."""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.simulator.google.account import SimulatedGoogle
from services.simulator.google.file import File
from tests.chaos.nursery import Nursery
from tests.chaos.storm import DAYS, Storm
from tests.support.google import folder, pydrive, simulated_google, upload


@pytest.mark.timeout(3600)
@pytest.mark.promise("fault G1", "fault G2", "fault G4", "fault G5", "fault G6", "inv I9")
@pytest.mark.parametrize(
    ("number", "kills", "patience_s"),
    [(32, 1, 100.0), pytest.param(10_000, 40, 3400.0, marks=pytest.mark.prove)],
)
def test_pictures_end_once_and_whole_in_the_folders_of_their_days(
    tmp_path: Path, number: int, kills: int, patience_s: float
) -> None:
    with simulated_google() as google:
        older = flat(google, number // 4)
        starred = {id: file for id, (file, _) in older.items() if file.starred}
        with (
            closing(Nursery()) as nursery,
            closing(Storm(google, tmp_path, nursery, number)) as storm,
        ):
            storm.play(kills, patience_s)
            told = storm.told()
            assert storm.arrange(), told
            assert storm.is_verified(), told

            live = storm.live()
            hashes = Counter(
                hashlib.sha256(google.tree.content(each.id)).hexdigest() for _, each in live
            )
            assert len(storm.feed.acknowledged) == number, told
            assert hashes == Counter(storm.feed.acknowledged), told
            assert storm.filed() == {
                (file.sha256, "archived", path.removeprefix("/Snapbus/"), file.id)
                for path, file in live
            }, told
            assert len({path.rpartition("/")[0] for path, _ in live}) == DAYS
            assert set(storm.folders().values()) == {1}, storm.folders()
            for untouched in (starred, storm.starred):
                assert {id: google.tree.get(id) for id in untouched} == untouched
            assert {google.path(google.tree.get(id)) for id in older} == {
                place for _, place in older.values()
            }
            assert storm.kills == kills and google.faults.happened, told


def flat(google: SimulatedGoogle, number: int) -> dict[str, tuple[File, str]]:
    """Files that lie in the archive's folder since long ago, each with the path where it shall be
    in the end; every fourth is starred, and one that lies elsewhere."""
    kept = {}
    with pydrive(google) as drive:
        top = folder(drive, "Snapbus")["id"]
        for each in range(number):
            taken = datetime(2020, 5, 1, tzinfo=UTC) + timedelta(hours=7 * each)
            path, parent = f"/Snapbus/{taken:%Y/%m/%d}/{each}.jpg", top
            if each % 4 == 0:
                path, parent = f"/{each}.jpg", "root" if each == 0 else top
                path = path if each == 0 else f"/Snapbus{path}"
            made = upload(
                drive, f"{each}.jpg", parents=[{"id": parent}], createdDate=f"{taken:%FT%T}Z"
            )
            file = google.star(made["id"]) if each % 4 == 0 else google.tree.get(made["id"])
            kept[file.id] = file, path
    return kept
