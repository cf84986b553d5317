"""Settings of the archive."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from shared.settings.section import Section, Zone


class DriveSection(Section):
    enabled: bool = Field(
        True, description="false: nothing is filed; pictures end as skipped, and stay in the store"
    )
    archive: Literal["folder"] = "folder"
    folder: Path = Field(Path("archive"), description="relative paths are below the data folder")
    timezone: Zone = Field(
        "",
        description="whose days and times folders and file names show, such as Europe/Berlin; "
        "empty: the zone of this machine (TZ)",
    )
    policy: Literal["everything", "objects", "people"] = "everything"
