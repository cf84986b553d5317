"""Pictures end in Google Drive once, whole, by day, though calls fail and processes die."""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.nursery import Nursery
from tests.chaos.storm import DAYS, Storm
from tests.support.google import folder, pydrive, simulated_google, upload


@pytest.mark.timeout(3600)
@pytest.mark.promise("fault G1", "fault G2", "fault G4", "fault G6", "inv I9")
@pytest.mark.parametrize(
    ("number", "kills", "patience_s"),
    [(40, 2, 100.0), pytest.param(10_000, 40, 3400.0, marks=pytest.mark.prove)],
)
def test_pictures_end_once_and_whole_in_the_folders_of_their_days(
    tmp_path: Path, number: int, kills: int, patience_s: float
) -> None:
    with simulated_google() as google:
        with pydrive(google) as drive:
            top = folder(drive, "Snapbus")["id"]
            for parent, title in ((top, "2020.jpg"), ("root", "holiday.jpg")):
                kept = upload(drive, title, parents=[{"id": parent}])
                google.star(kept["id"])
        before = {file.id: file for _, file in google.live()}
        with (
            closing(Nursery()) as nursery,
            closing(Storm(google, tmp_path, nursery, number)) as storm,
        ):
            storm.play(kills, patience_s)
            told = storm.told()

            live = [(path, file) for path, file in storm.live() if file.id not in before]
            hashes = Counter(
                hashlib.sha256(google.tree.content(each.id)).hexdigest() for _, each in live
            )
            assert len(storm.feed.acknowledged) == number, told
            assert hashes == Counter(storm.feed.acknowledged), told
            assert storm.filed() == {
                (file.sha256, "archived", path.removeprefix("/Snapbus/"), file.id)
                for path, file in live
            }, told
            days = {path.rpartition("/")[0] for path, _ in live}
            assert len(days) == DAYS
            assert set(storm.folders().values()) == {1}, storm.folders()
            for untouched in (before, storm.starred):
                assert {id: google.tree.get(id) for id in untouched} == untouched
            assert storm.kills == kills and google.faults.happened, told
