"""Settings of the doors that take pictures in."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from shared.settings.section import Port, Seconds, Section


class IntakeSection(Section):
    max_bytes: int = Field(32_000_000, gt=0, description="largest picture taken")
    reserve_fraction: float = Field(
        0.10, ge=0, lt=1, description="refuse pictures when less of the disk is free"
    )
    reserve_bytes: int = Field(0, ge=0, description="or less than this")


class MailSection(Section):
    enabled: bool = Field(True, description="false: no mail server")
    host: str = "0.0.0.0"  # noqa: S104  cameras reach it over the network
    port: Port = Field(2525, description="SMTP, with STARTTLS")
    tls_port: Port | None = Field(
        2465, description="for cameras that begin with TLS at once (SSL); null: none"
    )
    certificate: Path | None = Field(
        None, description="of TLS, PEM with its chain; empty: one is made and kept in the data"
    )
    certificate_key: Path | None = Field(None, description="its key, if it is not in that file")
    max_bytes: int = Field(
        50_000_000, gt=0, description="largest mail taken; its pictures are a quarter smaller"
    )
    max_pictures: int = Field(20, gt=0, le=100, description="most pictures in one mail")
    max_connections: int = Field(
        64, gt=0, description="in all; fewer where the process may have few descriptors"
    )
    max_connections_per_ip: int = Field(
        8, gt=0, description="four times as many from an address that a camera logged in from"
    )
    timeout_s: Seconds = Field(300.0, description="silent connections are closed after this")
    stall_s: Seconds = Field(30.0, description="a mail without a byte for so long is given up")
    mail_s: Seconds = Field(300.0, description="and one that takes longer as a whole")
    store_threads: int = Field(4, ge=1, le=64, description="threads that store pictures")

    @model_validator(mode="after")
    def _key_has_certificate(self) -> MailSection:
        if self.certificate_key and not self.certificate:
            raise ValueError("'certificate_key' needs 'certificate'")
        return self


class FoldersSection(Section):
    rescan_s: Seconds = Field(10.0, description="how often folders are read in full")
    settle_s: Seconds = Field(2.0, description="a file without close event must rest this long")
