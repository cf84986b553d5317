"""What engines that are paid cost, as figures: their services say it of themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric

from services.api.state import PartView

FIGURES = (
    ("calls", "Paid calls, those included whose end nobody knows."),
    ("money", "What they cost, in the currency of the label."),
    ("budget", "What they may cost; absent: there is no limit."),
    ("refused", "Calls that a budget did not allow."),
)


def paid(parts: Sequence[PartView]) -> Iterator[Metric]:
    """By engine and period: day and month of UTC, and ever."""
    engines: dict[str, Mapping[str, Any]] = {}
    for part in parts:  # copies of a service say the same: what it costs stands in the journal
        if part.up:
            engines |= part.about.get("paid", {})
    for name, text in FIGURES:
        family = GaugeMetricFamily(
            f"snapbus_paid_{name}", text, labels=("engine", "period", "currency")
        )
        for engine, told in engines.items():
            for period, figures in told["periods"].items():
                if figures[name] is not None:
                    labels = (engine, period, told["currency"])
                    family.add_metric(labels, float(figures[name]))
        yield family
    outcomes = GaugeMetricFamily(
        "snapbus_paid_questions",
        "Pictures an engine was wanted for since its service began, by what came of it: bought, "
        "remembered, or refused for the reason told.",
        labels=("engine", "outcome"),
    )
    for engine, told in engines.items():
        for outcome, count in told["since_start"].items():
            outcomes.add_metric((engine, outcome), count)
    yield outcomes
