"""What a measurement says, and how to take two things in turn."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``better`` says in which direction the ratio is good.

    ``target`` is what a quiet machine should reach, ``gate`` what a noisy one must.
    """

    number: int
    measure: str
    ratio: float | None
    target: float | None = None
    gate: float | None = None
    better: str = "more"
    detail: str = ""

    @property
    def verdict(self) -> str:
        if self.ratio is None:
            return "not measured"
        if self.target is None or self.gate is None:
            return "-"
        sign = 1 if self.better == "more" else -1
        if sign * self.ratio >= sign * self.target:
            return "target"
        return "gate" if sign * self.ratio >= sign * self.gate else "MISSED"


def ratios(
    baseline: Callable[[], float], *others: Callable[[], float], rounds: int = 5
) -> list[tuple[float, float, float]]:
    """For each of the others: the median of baseline/other per round, and both medians.

    Each callable returns the seconds it took; they go in turn, so that a neighbour's load hits all.
    """
    taken = [[timed() for timed in (baseline, *others)] for _ in range(rounds)]
    base = [times[0] for times in taken]
    return [
        (
            statistics.median(times[0] / times[place] for times in taken),
            statistics.median(base),
            statistics.median(times[place] for times in taken),
        )
        for place in range(1, len(others) + 1)
    ]


def table(rows: Iterable[Row]) -> str:
    """The rows as text in columns."""
    lines = [("#", "measure", "ratio", "target", "gate", "reached", "detail")]
    for row in rows:
        sign = "≥ " if row.better == "more" else "≤ "
        lines.append(
            (
                str(row.number),
                row.measure,
                "-" if row.ratio is None else f"{row.ratio:.2f}",
                "-" if row.target is None else f"{sign}{row.target:g}",
                "-" if row.gate is None else f"{sign}{row.gate:g}",
                row.verdict,
                row.detail,
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(7)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def say(text: str) -> None:
    """One line for whoever waits for the table."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
