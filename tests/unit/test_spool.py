"""The spool is as safe as the store: the file, its name, and the name of its folder are synced."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

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


@pytest.mark.promise("inv I15")
def test_what_comes_out_of_the_spool_is_what_went_in(tmp_path: Path):
    store = Store(tmp_path / "store")
    store.create()
    spool = Spool(store)
    marks: dict[str, Any] = {"organisation": "farm", "trace": "00-1-2-01", "baggage": "a=b"}
    waiting = Candidate(replace(taken(1), **marks), ("key", "other"), START)

    spool.put(waiting)

    assert list(spool) == [waiting]
