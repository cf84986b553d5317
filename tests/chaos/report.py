"""The account of a run as tables of a Markdown document."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from tests.chaos.tally import Account

SHOWN = 20


def table(account: Account, setup: str, minutes: float, seed: int) -> str:
    """The account for people, with what is needed to run it again."""
    figures = {
        "attempted": account.attempted,
        "acknowledged": account.acknowledged,
        "refused": account.refused,
        "unanswered": account.unanswered,
        "fetched": account.fetched,
        "**lost**": len(account.lost),
        "duplicate deliveries": account.duplicate_deliveries,
        "**duplicate effects**": len(account.duplicate_effects),
        "**unexpected**": len(account.unexpected),
    }
    date = datetime.now(UTC)
    lines = [
        f"Set-up `{setup}`, {minutes:g} minutes, seed {seed}, {date:%Y-%m-%d %H:%M} UTC,"
        f" Python {platform.python_version()}.",
        "",
        _row(figures),
        _row("--:" for _ in figures),
        _row(figures.values()),
        "",
    ]
    if account.recoveries:
        lines += ["| nemesis | times | recovery p50 s | p99 s |", "| --- | --: | --: | --: |"]
        everything = [took_s for each in account.recoveries.values() for took_s in each]
        for kind, took_s in [*sorted(account.recoveries.items()), ("**all**", everything)]:
            lines.append(_row((kind, len(took_s), _at(took_s, 0.5), _at(took_s, 0.99))))
        lines.append("")
    for name in ("lost", "duplicate_effects", "unexpected"):
        wrong = getattr(account, name)
        lines += [f"* {name}: {each}" for each in wrong[:SHOWN]]
        if len(wrong) > SHOWN:
            lines.append(f"* {name}: and {len(wrong) - SHOWN} more")
    return "\n".join(lines).rstrip() + "\n"


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _at(values: Sequence[float], share: float) -> str:
    ordered = sorted(values)
    return f"{ordered[max(0, math.ceil(share * len(ordered)) - 1)]:.1f}"
