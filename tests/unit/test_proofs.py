"""The page about the long proofs says what ended how, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.proofs import Proofs, page


class Report:
    """What pytest tells of one step of a test."""

    longrepr: Any = None

    def __init__(self, name: str, when: str, outcome: str, seconds: float = 1.0) -> None:
        self.nodeid, self.when, self.outcome, self.duration = name, when, outcome, seconds
        self.passed, self.skipped = outcome == "passed", outcome == "skipped"


def test_cases_of_one_proof_are_one_row_with_what_failed_and_why_some_were_skipped(tmp_path: Path):
    proofs: Any = Proofs(tmp_path / "proofs.md")
    skipped = Report("tests/b.py::test_other", "setup", "skipped")
    skipped.longrepr = ("tests/b.py", 3, "Skipped: needs root")
    for report in (
        Report("tests/a.py::test_all_is_well[1]", "setup", "passed", 2.0),
        Report("tests/a.py::test_all_is_well[1]", "call", "passed", 3.0),
        Report("tests/a.py::test_all_is_well[2]", "call", "failed"),
        Report("tests/a.py::test_all_is_well[2]", "teardown", "passed"),
        skipped,
    ):
        proofs.pytest_runtest_logreport(report)
    proofs.pytest_sessionfinish()

    text = (tmp_path / "proofs.md").read_text()
    assert "| [all is well](../../tests/a.py) | 1 | 0 | 1 | 7 |" in text
    assert "| [other](../../tests/b.py) | 0 | 1 | 0 | 1 |" in text
    assert "1 passed, 1 skipped, 1 failed" in text
    assert text.endswith("\n* needs root: 1\n")


def test_the_page_has_its_date():
    assert "Written on 2026-05-01 12:30 UTC" in page(
        {}, {}, datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
    )
