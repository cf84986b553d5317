"""Settings of the scheduler."""

from __future__ import annotations

from pydantic import Field

from shared.settings.cron import Cron
from shared.settings.section import Seconds, Section


class SchedulerSection(Section):
    enabled: bool = Field(
        True,
        description="false: no camera is asked at intervals; unfinished work is still looked after",
    )
    reconcile_s: Seconds = Field(2.0, description="how often forgotten work is looked for")
    cleanup_at: Cron = Field(
        "*/10 * * * *", description="when what broken uploads left is removed, as cron writes it"
    )
    backup_tokens_at: Cron = Field(
        "10,40 * * * *", description="when tokens are copied to `backup` in the data folder"
    )
    tokens: tuple[str, ...] = Field(
        ("snapshot_processor_creds", "tokens/*"),
        description="files below the data folder by which Snapbus logs in elsewhere",
    )
    grace_s: Seconds = Field(30.0, description="an event without result is forgotten then")
