"""Which account has logged in from where is kept in a small file, written seldom."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from shared.ingest import known
from shared.ingest.known import KnownPairs
from tests.support.fakes import eventually

DAY = date(2026, 11, 21)
HOME = ("10.0.0.1", "porch")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ftp-known.json"


def reloaded(file: Path, day: date = DAY) -> list[known.Pair]:
    return KnownPairs("ftp", file.parent, lambda: day).load()


def test_what_was_known_is_known_after_a_restart_and_one_that_is_killed(file, monkeypatch):
    pairs = KnownPairs("ftp", file.parent, lambda: DAY)
    assert pairs.load() == []
    pairs.note(*HOME)
    pairs.close()
    assert reloaded(file) == [HOME]
    monkeypatch.setattr(known, "SAVE_S", 0.0)
    KnownPairs("ftp", file.parent, lambda: DAY).note("10.0.0.2", "yard")  # and it is not closed
    eventually(lambda: reloaded(file) == [("10.0.0.2", "yard")])


def test_a_pair_is_written_once_a_day(file):
    pairs = KnownPairs("ftp", file.parent, lambda: DAY)
    pairs.note(*HOME)
    pairs.close()
    file.unlink()
    for _ in range(100):
        pairs.note(*HOME)
    pairs.close()
    assert not file.exists()


def test_who_did_not_come_for_months_is_forgotten(file):
    pairs = KnownPairs("ftp", file.parent, lambda: DAY)
    pairs.note(*HOME)
    pairs.close()
    assert reloaded(file, DAY + timedelta(days=known.FORGET_DAYS)) == [HOME]
    assert reloaded(file, DAY + timedelta(days=known.FORGET_DAYS + 1)) == []


def test_the_latest_stay_when_there_are_too_many(file, monkeypatch):
    monkeypatch.setattr(known, "MOST", 3)
    pairs = KnownPairs("ftp", file.parent, lambda: DAY)
    for number in (0, 1, 2, 0, 3, 4):
        pairs.note(f"10.0.0.{number}", "porch")
    pairs.close()
    assert len(json.loads(file.read_text())) == 3
    assert ("10.0.0.4", "porch") in reloaded(file)
    rows = [[f"10.1.0.{number}", "porch", DAY.isoformat()] for number in range(10)]
    file.write_text(json.dumps(rows))
    assert len(reloaded(file)) == 3


@pytest.mark.parametrize(
    "text", ["", "[", "{}x", "[1]", '[["a", "b"]]', '[["a", "b", "yesterday"]]', '[["a", "b", 1]]']
)
def test_a_damaged_file_is_told_and_begun_anew(file, text: str, caplog):
    file.write_text(text)
    pairs = KnownPairs("ftp", file.parent, lambda: DAY)
    assert pairs.load() == []
    assert "have to be learned anew" in caplog.text
    pairs.note(*HOME)
    pairs.close()
    assert reloaded(file) == [HOME]


def test_a_disk_that_takes_nothing_is_told_and_no_more(tmp_path: Path, caplog):
    pairs = KnownPairs("ftp", tmp_path / "none", lambda: DAY)
    pairs.note(*HOME)
    pairs.close()
    assert "are not kept" in caplog.text
