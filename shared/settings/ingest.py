"""Settings of the doors that take pictures in."""

from __future__ import annotations

from pydantic import Field

from shared.settings.section import Port, Seconds, Section


class IntakeSection(Section):
    max_bytes: int = Field(32_000_000, gt=0, description="largest picture taken")
    reserve_fraction: float = Field(
        0.10, ge=0, lt=1, description="refuse pictures when less of the disk is free"
    )
    reserve_bytes: int = Field(0, ge=0, description="or less than this")


class FtpSection(Section):
    enabled: bool = Field(True, description="false: no FTP server")
    host: str = "0.0.0.0"  # noqa: S104  cameras reach it over the network
    port: Port = 2121
    passive_ports: str = Field("30000-30009", pattern=r"^(\d+-\d+)?$")
    masquerade_address: str = Field("", description="address cameras see when behind NAT or Docker")
    max_connections: int = Field(256, gt=0)
    max_connections_per_ip: int = Field(32, gt=0)
    timeout_s: Seconds = Field(300.0, description="silent connections are closed after this")
    stall_s: Seconds = Field(30.0, description="an upload without a byte for so long is given up")
    upload_s: Seconds = Field(300.0, description="and one that takes longer as a whole")
    store_threads: int = Field(
        4, ge=1, le=64, description="threads that store pictures; each takes all that wait"
    )


class FoldersSection(Section):
    rescan_s: Seconds = Field(10.0, description="how often folders are read in full")
    settle_s: Seconds = Field(2.0, description="a file without close event must rest this long")
