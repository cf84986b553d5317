"""The kinds of archive, each in a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from services.drive.archives import folder
from services.drive.archives.archive import Archive
from shared.settings.archive import DriveSection

KINDS: Mapping[str, Callable[[str, DriveSection, Path], Archive]] = {"folder": folder.archive}
"""What makes an archive for each value of ``archive``: from its name, its section and the data
folder. The settings of a kind begin with its name."""


def archive_for(name: str, section: DriveSection, data: Path) -> Archive:
    """The archive that a section describes."""
    return KINDS[section.archive](name, section, data)
