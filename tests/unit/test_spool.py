"""The spool is as safe as the store: the file, its name, and the name of its folder are synced."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from shared.ingest import spool as module
from shared.ingest.spool import Spool
from shared.journal.catalogue import Candidate
from shared.store import Store
from tests.support.making import START, taken


@pytest.mark.promise("fault X2")
def test_the_folder_of_the_spool_is_named_safely_before_the_first_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    store = Store(tmp_path / "store")
    store.create()
    synced: list[str] = []
    monkeypatch.setattr(module, "sync_folder", lambda folder: synced.append(folder.name))
    spool = Spool(store)

    for number in range(2):
        spool.put(Candidate(taken(number), ("key",), START))

    assert synced == ["spool", "store", "spool"]


def test_what_a_crash_left_of_the_spool_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = Store(tmp_path / "store")
    store.create()
    spool = Spool(store)
    spool.put(Candidate(taken(1), ("key",), START))

    def crash(point: str) -> None:
        if point == "spool.before_rename":
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "reach", crash)
    for number in (2, 3):
        with pytest.raises(KeyboardInterrupt):
            spool.put(Candidate(taken(number), ("key",), START))
    left, fresh = sorted((store.root / "spool").glob("*.part"))
    old = time.time() - 7200
    os.utime(left, (old, old))
    os.utime(spool.path(Candidate(taken(1), ("key",), START)), (old, old))

    assert store.sweep() == 1
    assert list((store.root / "spool").glob("*.part")) == [fresh]
    assert [each.taken.id for each in spool] == [taken(1).id]
