"""Settings of what every process has: journal, broker, health, log, work."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from shared.settings.section import Port, Seconds, Section


class JournalSection(Section):
    url: SecretStr = Field(
        SecretStr(""),
        description="sqlite:////path or postgresql://user@host/db; empty: SQLite below data",
    )


class BrokerSection(Section):
    url: SecretStr = Field(
        SecretStr("local"),
        description="'local' (one process) or amqp[s]://user:password@host/vhost",
    )
    exchange: str = "snapbus"
    max_length: int = Field(100_000, gt=0, description="messages per queue before it refuses more")


class HealthSection(Section):
    host: str = "127.0.0.1"
    port: Port = Field(8081, description="of /live, /ready and /metrics of each process; 0: any")
    stuck_s: Seconds = Field(120.0, description="older unpublished or unfinished work is stuck")


class LogSection(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"
    sentry_dsn: SecretStr = SecretStr("")


class WorkSection(Section):
    attempts: int = Field(5, ge=1, description="unexpected failures before work is dead")
    retries: int = Field(20, ge=1, description="known temporary failures before work is dead")
    first_retry_s: Seconds = 5.0
    longest_retry_s: Seconds = 3600.0
    stop_grace_s: Seconds = 6.0
