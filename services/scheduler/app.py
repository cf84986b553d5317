"""Wires the scheduler service."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from services.scheduler.integrity import IntegrityCheck
from services.scheduler.interval import Intervals
from services.scheduler.janitor import Janitor
from services.scheduler.jobs import Job, Jobs
from services.scheduler.reconciler import Reconciler
from services.scheduler.tokens import TokenBackup
from shared.service import Context, Service, Source
from shared.settings.section import zone_of

log = logging.getLogger(__name__)

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
        _jobs(context),
    ]
    if wanted:
        sources.insert(0, intervals)
    else:
        log.info(OFF, extra={"action": "switched_off"})
    return Service(name="scheduler", sources=sources, about=about)


def _jobs(context: Context) -> Jobs:
    """What older installations did by cron."""
    settings = context.settings
    section = settings.scheduler
    return Jobs(
        [
            Job("cleanup", section.cleanup_at, Janitor(context)),
            Job(
                "backup of tokens",
                section.backup_tokens_at,
                TokenBackup(settings.data, section.tokens),
            ),
        ],
        zone_of(settings.drive.timezone),
    )
