"""Wires the scheduler service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.scheduler.integrity import IntegrityCheck
from services.scheduler.interval import Intervals
from services.scheduler.janitor import Janitor
from services.scheduler.reconciler import Reconciler
from shared.service import Context, Service, Source

OFF = "intervals are switched off by scheduler.enabled; unfinished work is looked after"


def build(context: Context) -> Service:
    """The service with its sources; only the intervals can be switched off."""
    intervals = Intervals(context)
    wanted = context.settings.scheduler.enabled
    local = context.settings.broker.url.get_secret_value() == "local"

    def about() -> Mapping[str, Any]:
        return {"ok": True, "summary": intervals.summary() if wanted else OFF}

    # Without these, events could be lost, so no setting switches them off.
    sources: list[Source] = [
        Reconciler(context, at_once=local),
        IntegrityCheck(context),
        Janitor(context),
    ]
    if wanted:
        sources.insert(0, intervals)
    return Service(name="scheduler", sources=sources, about=about)
