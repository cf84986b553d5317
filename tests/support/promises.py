"""Which of our promises a passing test proves: `task promises`, or pytest with --promises."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

PROMISES = Path(__file__).parents[2] / "docs" / "promises.md"
ID = re.compile(r"\b(feat|fault|sec|inv) [A-Z]+\d+[a-z]?\b")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --promises."""
    parser.addoption("--promises", action="store_true", help="end with a list of the promises kept")


def pytest_configure(config: pytest.Config) -> None:
    """Watch the run when --promises is given."""
    if config.getoption("--promises"):
        config.pluginmanager.register(Promises(), "promises")


class Promises:
    """Gathers the outcome of every test that carries a promise."""

    def __init__(self) -> None:
        self._ids: dict[str, list[str]] = {}
        self._outcomes: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Remember which promise each test proves."""
        for item in items:
            marks = item.iter_markers("promise")
            if ids := [str(each) for mark in marks for each in mark.args]:
                self._ids[item.nodeid] = ids

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst of set-up, call and tear-down."""
        tells = report.when == "call" or not report.passed
        if tells and self._outcomes.get(report.nodeid) != "failed":
            self._outcomes[report.nodeid] = report.outcome

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run when a promise has no passing test."""
        if session.exitstatus == 0 and not all(self._state(each) == "kept" for each in promised()):
            session.exitstatus = 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print one line per promise, and the marks that name none."""
        out = terminalreporter
        out.section("promises")
        ids = promised()
        for each in ids:
            out.line(f"{self._state(each):10} {each:12} {len(self._tests(each))} tests")
        if unknown := sorted({each for found in self._ids.values() for each in found} - set(ids)):
            out.line(f"not in docs/promises.md: {', '.join(unknown)}")
        kept = sum(self._state(each) == "kept" for each in ids)
        out.line(f"{kept} of {len(ids)} promises have a passing test")

    def _tests(self, promise: str) -> list[str]:
        return [test for test, ids in self._ids.items() if promise in ids]

    def _state(self, promise: str) -> str:
        outcomes: dict[str, int] = defaultdict(int)
        for test in self._tests(promise):
            outcomes[self._outcomes.get(test, "not run")] += 1
        if outcomes["failed"]:
            return "BROKEN"
        return "kept" if outcomes["passed"] else "not shown"


def promised() -> list[str]:
    """The ids in docs/promises.md, in their order there."""
    text = PROMISES.read_text() if PROMISES.exists() else ""
    return list(dict.fromkeys(match.group() for match in ID.finditer(text)))
