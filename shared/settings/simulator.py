"""Settings of the simulated cameras."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from shared.settings.section import Port, Seconds, Section

AmazonFault = Literal[
    "fine", "throttled", "overloaded", "error", "silent", "reset", "lost", "expired", "denied",
    "clock", "nonsense",
]  # fmt: skip
"""What a simulated region does: as it should; refuses (throttled, overloaded, expired keys, no
right, a wrong clock), fails (500), never answers, closes the connection before the request was done
or after it (lost), or answers what is no answer."""


class SimulatorSection(Section):
    http_port: Port = 8090
    moods: dict[str, Literal["fine", "slow", "half", "busy", "silent", "closed"]] = Field(
        {}, description="how cameras of a brand answer, such as {reolink: half, hikvision: busy}"
    )
    rtsp_port: Port | None = Field(None, description="such as 8554: a camera with a stream, too")
    rekognition_port: Port | None = Field(
        None, description="such as 8095: a simulated Amazon Rekognition, that of `rekognition`"
    )
    rekognition_faults: dict[str, AmazonFault] = Field(
        {}, description="what its regions do, such as {us-east-1: throttled, '*': error}"
    )
    google_port: Port | None = Field(
        None, description="such as 8091: a Google account, with a Drive to file in and to look at"
    )
    google_faults: float = Field(
        0.0, ge=0, le=1, description="the part of the calls there that fail, such as 0.05"
    )
    host: str = "127.0.0.1"
    pictures: Path | None = Field(None, description="a folder of photographs; null: drawn scenes")
    ftp_host: str = "127.0.0.1"
    ftp_port: Port | None = Field(None, description="null: that of ftp.port")
    ftp_every_s: Seconds = 5.0
