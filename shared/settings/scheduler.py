"""Settings of the scheduler."""

from __future__ import annotations

from pydantic import Field

from shared.settings.section import Seconds, Section


class SchedulerSection(Section):
    enabled: bool = Field(
        True,
        description="false: no camera is asked at intervals; unfinished work is still looked after",
    )
    reconcile_s: Seconds = Field(2.0, description="how often forgotten work is looked for")
    grace_s: Seconds = Field(30.0, description="an event without result is forgotten then")
