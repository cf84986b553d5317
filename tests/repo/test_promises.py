"""docs/promises.md and the marks of tests name the same promises, and the report is honest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.repo.tree import ROOT
from tests.support import promises
from tests.support.promises import ID, Promises, promised

MARK = "mark.promise("


def marked() -> set[str]:
    """The promises that tests carry."""
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for mark in path.read_text(encoding="utf-8").split(MARK)[1:]:
            found |= {match.group() for match in ID.finditer(mark.partition(")\n")[0])}
    return found


def test_what_is_promised_has_a_test_and_what_a_test_proves_is_promised() -> None:
    assert set(promised()) - marked() == set()
    assert marked() - set(promised()) == set()


class Report:
    """What pytest tells of one test that carries two promises."""

    def __init__(self, nodeid: str, when: str, outcome: str) -> None:
        self.nodeid, self.when, self.outcome = nodeid, when, outcome
        self.passed = outcome == "passed"
        self.user_properties = [("promise", "inv I1"), ("promise", "inv I2")]


class Session:
    """A run that went well so far."""

    exitstatus = 0
    config = None


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        (["passed"], "kept"),
        (["passed", "passed"], "kept"),
        (["passed", "skipped"], "skipped"),
        (["skipped"], "skipped"),
        (["passed", "skipped", "failed"], "BROKEN"),
        ([], "not shown"),
    ],
)
def test_a_promise_is_kept_when_all_its_tests_passed_and_none_was_skipped(
    outcomes: Sequence[str], state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching: Any = Promises()
    for number, outcome in enumerate(outcomes):
        for when, of_step in (("setup", "passed"), ("call", outcome), ("teardown", "passed")):
            watching.pytest_runtest_logreport(Report(str(number), when, of_step))
    monkeypatch.setattr(promises, "promised", lambda: ["inv I1", "inv I2"])

    session: Any = Session()
    watching.pytest_sessionfinish(session)
    assert session.exitstatus == (state != "kept")
    assert watching.state("inv I1") == watching.state("inv I2") == state
