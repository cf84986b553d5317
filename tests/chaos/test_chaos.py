"""Chaos in a minute, and the proof that its account would tell of a loss."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.chaos.report import table
from tests.chaos.run import Plan, Run
from tests.support.rights import has_rights

SEED = 20261120


@pytest.mark.timeout(400)
@pytest.mark.promise("inv I1", "inv I6", "inv I8", "inv I9", "inv I18", "fault X4")
@pytest.mark.parametrize("setup", [pytest.param("rabbit", marks=pytest.mark.prove), "allinone"])
def test_whatever_breaks_nothing_is_lost_and_nothing_happens_twice(setup: str):
    plan = Plan(setup, 0.3, SEED, hold_s=(1.0, 2.5), calm_s=(0.3, 1.0))

    with contextlib.closing(Run(plan)) as run:
        account = run.run()

    told = table(account, plan.setup, plan.minutes, plan.seed)
    assert (account.lost, account.duplicate_effects, account.unexpected) == ([], [], []), told
    assert account.acknowledged > 30, told
    assert account.recoveries, told


@pytest.mark.timeout(300)
@pytest.mark.promise("inv I1")
def test_the_account_tells_what_is_missing_and_what_is_there_too_often():
    with contextlib.closing(Run(Plan("allinone", 0.1, SEED, only=None))) as run:
        account = run.run()
        assert account.is_clean, account
        run.stage.halt()
        first, second, *_ = _filed(run)

        first.rename(first.with_suffix(".gone"))
        account = run.account()
        assert len(account.lost) == 1
        assert "is not in the archive" in account.lost[0]
        first.with_suffix(".gone").rename(first)

        blob = _blob(run, second)
        kept = blob.read_bytes()
        blob.write_bytes(kept[:-1] + b"\0")
        account = run.account()
        assert len(account.lost) == 1
        assert "other bytes in the store" in account.lost[0]
        assert any("doctor" in each for each in account.unexpected)
        blob.write_bytes(kept)

        shutil.copy(first, first.with_name("again.jpg"))
        shutil.copy(run.stage.system.config, first.with_name("stranger.jpg"))
        account = run.account()
        assert (len(account.duplicate_effects), len(account.unexpected)) == (1, 1)
        first.with_name("again.jpg").unlink()
        first.with_name("stranger.jpg").unlink()
        assert run.account().is_clean

        _forget(run, first)
        account = run.account()
        assert len(account.lost) == 1
        assert "is not catalogued" in account.lost[0]


def test_continuous_integration_breaks_disks_and_clocks_as_well():
    mounts, clocks = has_rights(), shutil.which("cc") is not None
    assert (mounts and clocks) or "CI" not in os.environ, "run as root, and install a C compiler"


def _filed(run: Run) -> list[Path]:
    """Archived files of the pictures that were pushed."""
    files = sorted(run.stage.system.archive.glob("2*/*/*/*.jpg"))
    return [path for path in files if _sha256(path) in run.ledger.acknowledged]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _blob(run: Run, path: Path) -> Path:
    return run.stage.system.store.place(_sha256(path))


def _forget(run: Run, path: Path) -> None:
    """Take a picture out of the catalogue."""
    journal = run.stage.journal_disk.root / "snapbus.db"
    with contextlib.closing(sqlite3.connect(journal)) as file, file:
        file.execute("DELETE FROM snapshots WHERE sha256 = ?", (_sha256(path),))
