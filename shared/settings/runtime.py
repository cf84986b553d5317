"""Settings of what every process has: journal, broker, health, log, work."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from shared.settings.section import Port, Seconds, Section
from shared.syslog import server_of


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
    outside: SecretStr = Field(
        SecretStr(""),
        description="beside 'local': amqp[s]:// address of a broker that gets a copy of every "
        "event and gives requests; empty: none",
    )
    exchange: str = "snapbus"
    max_length: int = Field(100_000, gt=0, description="messages per queue before it refuses more")

    @model_validator(mode="after")
    def _outside_is_one(self) -> BrokerSection:
        outside = self.outside.get_secret_value()
        if outside and self.url.get_secret_value() != "local":
            raise ValueError("'outside' goes with 'url: local'; else there is one broker for all")
        if outside and not outside.startswith(("amqp://", "amqps://")):
            raise ValueError("'outside' must begin with amqp:// or amqps://")
        return self


class HealthSection(Section):
    host: str = "127.0.0.1"
    port: Port = Field(8081, description="of /live, /ready and /metrics of each process; 0: any")
    stuck_s: Seconds = Field(120.0, description="older unpublished or unfinished work is stuck")


def _syslog(address: str) -> str:
    if address:
        server_of(address)
    return address


class LogSection(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"
    syslog: Annotated[str, AfterValidator(_syslog)] = Field(
        "",
        description="syslog server that gets every line too, as RFC 5424: udp://host:514, "
        "tcp://host:601, /dev/log; empty: none",
    )
    sentry_dsn: SecretStr = SecretStr("")


class WorkSection(Section):
    attempts: int = Field(5, ge=1, description="unexpected failures before work is dead")
    retries: int = Field(20, ge=1, description="known temporary failures before work is dead")
    first_retry_s: Seconds = 5.0
    longest_retry_s: Seconds = 3600.0
    stop_grace_s: Seconds = 6.0
