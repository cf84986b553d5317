"""How the long proofs ended, as a page of the documents: `task prove`, or pytest with --results."""

from __future__ import annotations

import os
import platform
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

PAGE = """# Long proofs

Status: current. `./taskw prove` runs them and writes this page; a sample of each runs with
`./taskw test`. Written on {date} UTC on {machine}:
{verdict}. Seconds are those of this run, whatever else the machine did.

| proof | passed | skipped | failed | seconds |
|---|---|---|---|---|
{rows}

Longer still are chaos, the whole kill matrix and power cuts: [tables](delivery-tables.md).
"""
SKIPPED = "\nWhy some were skipped:\n\n{reasons}\n"


@dataclass(slots=True)
class Tally:
    """How the cases of one proof ended."""

    seconds: float = 0.0
    ended: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def add_option(parser: pytest.Parser) -> None:
    """Add --results."""
    parser.addoption("--results", type=Path, help="write how the tests ended to this page")


def watch(config: pytest.Config) -> None:
    """Watch the run when --results is given; workers only tell."""
    if (page := config.getoption("--results")) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Proofs(page), "proofs")


class Proofs:
    """Gathers how each proof ended, and writes the page."""

    def __init__(self, page: Path) -> None:
        self._page = page
        self._tallies: dict[str, Tally] = defaultdict(Tally)
        self._reasons: dict[str, int] = defaultdict(int)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count it under its function, whatever its parameters."""
        tally = self._tallies[report.nodeid.partition("[")[0]]
        tally.seconds += report.duration
        if report.when == "call" or not report.passed:
            tally.ended[report.outcome] += 1
        if report.skipped and isinstance(report.longrepr, tuple | list):
            self._reasons[str(report.longrepr[2]).removeprefix("Skipped: ")] += 1

    def pytest_sessionfinish(self) -> None:
        """Write the page."""
        self._page.write_text(page(self._tallies, self._reasons, datetime.now(UTC)))


def page(tallies: Mapping[str, Tally], reasons: Mapping[str, int], moment: datetime) -> str:
    """The text of the page."""
    total: dict[str, int] = defaultdict(int)
    rows = []
    for name, tally in sorted(tallies.items()):
        file, _, test = name.partition("::")
        title = test.removeprefix("test_").replace("_", " ")
        counts = [tally.ended[each] for each in ("passed", "skipped", "failed")]
        rows.append(f"| [{title}](../../{file}) | {' | '.join(map(str, counts))} "
                    f"| {tally.seconds:.0f} |")  # fmt: skip
        for outcome, count in tally.ended.items():
            total[outcome] += count
    text = PAGE.format(
        date=f"{moment:%Y-%m-%d %H:%M}",
        machine=f"{os.cpu_count()} cores, Python {platform.python_version()}",
        verdict=f"{total['passed']} passed, {total['skipped']} skipped, {total['failed']} failed",
        rows="\n".join(rows),
    )
    if reasons:
        text += SKIPPED.format(
            reasons="\n".join(f"* {why}: {count}" for why, count in sorted(reasons.items()))
        )
    return text
