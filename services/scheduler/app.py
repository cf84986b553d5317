"""Wires the scheduler service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.scheduler.interval import Intervals
from services.scheduler.reconciler import Reconciler
from shared.service import Parts, Service


def build(parts: Parts) -> Service:
    """Asks for pictures at intervals and carries unfinished work through."""
    intervals = Intervals(parts)
    local = parts.settings.broker.url.get_secret_value() == "local"

    def about() -> Mapping[str, Any]:
        return {"ok": True, "summary": intervals.summary()}

    return Service(
        name="scheduler", sources=[intervals, Reconciler(parts, at_once=local)], about=about
    )
