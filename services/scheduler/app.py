"""Wires the scheduler service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.scheduler.checkup import Checkup
from services.scheduler.interval import Intervals
from services.scheduler.janitor import Janitor
from services.scheduler.reconciler import Reconciler
from shared.service import Parts, Service, Source

OFF = "intervals are switched off by scheduler.enabled; unfinished work is looked after"


def build(parts: Parts) -> Service:
    """Asks for pictures at intervals and carries unfinished work through."""
    intervals = Intervals(parts)
    wanted = parts.settings.scheduler.enabled
    local = parts.settings.broker.url.get_secret_value() == "local"

    def about() -> Mapping[str, Any]:
        return {"ok": True, "summary": intervals.summary() if wanted else OFF}

    # Without these events could be lost, so they don't depend on what the configuration wants.
    sources: list[Source] = [Reconciler(parts, at_once=local), Checkup(parts), Janitor(parts)]
    if wanted:
        sources.insert(0, intervals)
    return Service(name="scheduler", sources=sources, about=about)
