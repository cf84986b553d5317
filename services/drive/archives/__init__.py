"""The kinds of archive, each in a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from services.drive.archives import folder, google, s3
from services.drive.archives.archive import Archive
from shared.journal import Journal
from shared.settings.archive import DriveSection

Make = Callable[[str, DriveSection, Path, Journal], Archive]
KINDS: Mapping[str, Make] = {
    "folder": folder.archive,
    "google": google.archive,
    "s3": s3.archive,
}
"""What makes an archive for each value of ``archive``: from its name, its section, the data folder
and the journal. The settings of a kind begin with its name. Raises ConfigError."""


def archive_for(name: str, section: DriveSection, data: Path, journal: Journal) -> Archive:
    """The archive that a section describes."""
    return KINDS[section.archive](name, section, data, journal)
