"""Manifests in the journal, on both databases."""

from __future__ import annotations

import threading

import pytest

from services.drive.verified import chain
from shared.events import SnapshotArchived, SnapshotRefiled
from shared.journal import Journal
from tests.support.making import taken

DAY = "2026-03-01"


def file(journal: Journal, number: int, **more: object) -> str:
    """A snapshot that the archive ``nas`` holds; returns its id."""
    event = taken(number)
    journal.record_snapshot(event, [f"key {number}"], repeats_since=event.time)
    values = {"camera": "porch", "archive": "nas", "path": f"2026/03/01/{number}.jpg"} | more
    data = SnapshotArchived.model_validate({"sha256": f"{number:064x}", "size": 1000, **values})
    journal.append([data.event(subject="porch", cause=event, key=str(event.snapshot_id))])
    return str(event.snapshot_id)


def told(journal: Journal, day: str = DAY) -> chain.Chain:
    manifest = journal.manifests.of("nas", day)
    assert manifest is not None
    found = chain.read(manifest.data)
    assert not found.broken
    assert found.hashes[-1] == manifest.head
    return found


@pytest.mark.promise("feat F21")
def test_every_copy_has_one_line_however_many_number_them(journal: Journal):
    for number in range(30):
        file(journal, number)
    assert journal.manifests.open_days("nas") == [DAY]
    threads = [
        threading.Thread(target=journal.manifests.extend, args=["nas", DAY], daemon=True)
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [each.path for each in told(journal).held] == [f"2026/03/01/{n}.jpg" for n in range(30)]
    journal.manifests.note_written("nas", DAY, told(journal).hashes[-1])
    assert journal.manifests.open_days("nas") == []
    assert journal.manifests.days("nas") == [DAY]
    assert len(journal.manifests.held("nas", DAY)) == 30
    assert journal.manifests.held("other", DAY) == []


@pytest.mark.promise("feat F21")
def test_what_was_replaced_stays_in_the_chain_and_its_successor_is_added(journal: Journal):
    snapshot_id = file(journal, 1, kind="encrypted")
    file(journal, 2)
    journal.manifests.extend("nas", DAY)
    before = told(journal).hashes
    for sha256 in ("d" * 64, "d" * 64, "e" * 64):
        data = SnapshotRefiled(
            camera="porch", archive="nas", kind="encrypted", path="2026/03/01/1.jpg",
            sha256=sha256, size=9,
        )  # fmt: skip
        cause = f"{len(told(journal).hashes)} {sha256}"
        journal.append([data.event(subject="porch", cause=cause, snapshot_id=snapshot_id)])
        journal.manifests.extend("nas", DAY)

    after = told(journal)
    assert after.hashes[: len(before)] == before
    assert len(after.hashes) == len(before) + 2
    assert {each.path: each.sha256 for each in after.held}["2026/03/01/1.jpg"] == "e" * 64


@pytest.mark.promise("feat F21")
def test_a_day_refers_to_the_last_one_before_it(journal: Journal):
    file(journal, 1)
    file(journal, 2, path="2026/03/05/2.jpg")
    file(journal, 3, path="elsewhere/3.jpg")  # of an archive without days
    for day in journal.manifests.open_days("nas"):
        journal.manifests.extend("nas", day)
    assert told(journal).day_before == ""
    later = told(journal, "2026-03-05")
    assert (later.day_before, later.before) == (DAY, told(journal).hashes[-1])
