"""Settings of the simulated cameras."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from shared.settings.section import Port, Seconds, Section


class SimulatorSection(Section):
    http_port: Port = 8090
    moods: dict[str, Literal["fine", "slow", "half", "busy", "silent", "closed"]] = Field(
        {}, description="how cameras of a brand answer, such as {reolink: half, hikvision: busy}"
    )
    rtsp_port: Port | None = Field(None, description="such as 8554: a camera with a stream, too")
    host: str = "127.0.0.1"
    pictures: Path | None = Field(None, description="a folder of photographs; null: drawn scenes")
    ftp_host: str = "127.0.0.1"
    ftp_port: Port | None = Field(None, description="null: that of ftp.port")
    ftp_every_s: Seconds = 5.0
