"""Which of our promises a passing test proves: `task promises`, or pytest with --promises."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

PROMISES = Path(__file__).parents[2] / "docs" / "promises.md"
ID = re.compile(r"\b(feat|fault|find|sec|inv) [A-Z]+\d+[a-z]?\b")


def add_option(parser: pytest.Parser) -> None:
    """Add --promises."""
    parser.addoption("--promises", action="store_true", help="end with a list of the promises kept")


def watch(config: pytest.Config) -> None:
    """Watch the run when --promises is given."""
    if config.getoption("--promises"):
        config.pluginmanager.register(Promises(), "promises")


class Promises:
    """Gathers the outcome of every test that carries a promise, also of tests run by workers."""

    def __init__(self) -> None:
        self._tests: dict[str, set[str]] = defaultdict(set)
        self._outcomes: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Have reports carry the promises of their tests: they come from other processes."""
        for item in items:
            for mark in item.iter_markers("promise"):
                item.user_properties += [("promise", str(each)) for each in mark.args]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst of set-up, call and tear-down."""
        for name, promise in report.user_properties:
            if name == "promise":
                self._tests[str(promise)].add(report.nodeid)
        tells = report.when == "call" or not report.passed
        if tells and self._outcomes.get(report.nodeid) != "failed":
            self._outcomes[report.nodeid] = report.outcome

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run when a promise is not kept; workers know only of a part."""
        if hasattr(session.config, "workerinput") or session.exitstatus:
            return
        if not all(self.state(each) == "kept" for each in promised()):
            session.exitstatus = 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print one line per promise."""
        out = terminalreporter
        out.section("promises")
        states = {each: self.state(each) for each in promised()}
        for each, state in states.items():
            out.line(f"{state:10} {each:12} {len(self._tests[each])} tests")
        kept = sum(state == "kept" for state in states.values())
        out.line(f"{kept} of {len(states)} promises are kept")

    def state(self, promise: str) -> str:
        """kept: its tests passed and none was skipped; else skipped, BROKEN or not shown."""
        found = {self._outcomes.get(test, "not run") for test in self._tests[promise]}
        if "failed" in found:
            return "BROKEN"
        if "skipped" in found:
            return "skipped"
        return "kept" if found == {"passed"} else "not shown"


def promised() -> list[str]:
    """The ids in docs/promises.md, in their order there."""
    text = PROMISES.read_text() if PROMISES.exists() else ""
    return list(dict.fromkeys(match.group() for match in ID.finditer(text)))
