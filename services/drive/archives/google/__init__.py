"""Google Drive as an archive."""

from __future__ import annotations

from pathlib import Path

from services.drive.archives.archive import Archive
from shared.journal import Journal
from shared.settings.archive import DriveSection


def archive(name: str, section: DriveSection, data: Path, journal: Journal) -> Archive:
    """The archive in the folder of Drive that the section's ``google`` names."""
    # PyDrive2 takes a third of a second and 30 MB, for those only who file there.
    from services.drive.archives.google.archive import GoogleArchive

    return GoogleArchive(name, section.google, data, journal)
