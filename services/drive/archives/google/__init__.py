"""Google Drive as an archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from services.drive.archives.archive import Archive
from shared.journal import Journal
from shared.settings.archive import DriveSection
from shared.settings.section import zone_of

if TYPE_CHECKING:
    from services.drive.archives.google.archive import GoogleArchive


def archive(name: str, section: DriveSection, data: Path, journal: Journal) -> Archive:
    """The archive in the folder of Drive that the section's ``google`` names."""
    return google_archive(name, section, data, journal)


def google_archive(name: str, section: DriveSection, data: Path, journal: Journal) -> GoogleArchive:
    """The same, with all that is Google's own."""
    # PyDrive2 takes a third of a second and 30 MB, for those only who file there.
    from services.drive.archives.google.archive import GoogleArchive

    zone = zone_of(section.timezone)
    return GoogleArchive(name, section.google, data, journal, zone=zone)
