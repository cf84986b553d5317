"""An archive that is away over night: everything waits, nothing dies, all is filed soon after."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.support.fakes import eventually
from tests.support.pictures import jpeg
from tests.support.system import System

PICTURES = 30


@pytest.mark.promise("feat A15", "fault W6")
def test_pictures_wait_for_an_archive_that_is_away_and_are_filed_when_it_is_back(tmp_path: Path):
    barn, away = tmp_path / "barn", tmp_path / "unmounted"
    barn.mkdir()
    tree = {
        "cameras": {"barn": {"folder": {"path": str(barn)}}},
        "folders": {"settle_s": 0.1, "rescan_s": 0.5},
        "work": {"retries": 1, "first_retry_s": 0.1, "longest_retry_s": 0.1},
    }
    with closing(System(tmp_path, tree)) as system:
        system.start("allinone")
        system.archive.rename(away)
        for number in range(PICTURES):
            (barn / f"{number}.jpg").write_bytes(jpeg())

        def drive() -> dict[str, object]:
            parts = system.get("/v1/health")["parts"]
            return next(part for part in parts if part["service"] == "drive")

        def statuses() -> list[str]:
            return [each["status"] for each in system.get("/v1/work?limit=500")["work"]]

        eventually(lambda: statuses() == ["retry"] * PICTURES, timeout=60)
        eventually(lambda: not drive()["ok"], timeout=20)
        assert "archive" in str(drive()["summary"])

        away.rename(system.archive)

        counts = lambda: system.get("/v1/health")["snapshots"]  # noqa: E731
        eventually(lambda: counts() == {"archived": PICTURES}, timeout=40)
        assert statuses() == []
        eventually(lambda: drive()["ok"], timeout=20)
        assert len(list(system.archive.rglob("barn_*.jpg"))) == PICTURES
