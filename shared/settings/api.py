"""Settings of the API and the page."""

from __future__ import annotations

from pydantic import Field

from shared.settings.section import Port, Section


class ApiSection(Section):
    enabled: bool = Field(True, description="false: no page and no API")
    host: str = "0.0.0.0"  # noqa: S104  the page is for the local network
    port: Port = 8080
    thumbnail_px: int = Field(480, ge=32, le=2048, description="longest side")
    hosts: tuple[str, ...] = Field(
        (),
        description="names of this server that a proxy uses, such as cams.example.org; addresses "
        "and local names (nas, nas.local, nas.lan) need no mention",
    )
