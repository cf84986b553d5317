"""Which archive a command means."""

from __future__ import annotations

from shared.errors import ConfigError
from shared.settings import Settings
from shared.settings.archive import DriveSection


def google_section(settings: Settings, name: str) -> tuple[str, DriveSection]:
    """The archive in Google Drive that is called so, or the only one. Raises ConfigError."""
    return section_of(settings, name, "google", "Google Drive")


def section_of(settings: Settings, name: str, kind: str, place: str) -> tuple[str, DriveSection]:
    """The archive of this kind that is called so, or the only one. Raises ConfigError."""
    there = {
        each: section for each, section in settings.all_archives.items() if section.archive == kind
    }
    found = [each for each in there if name in ("", each)]
    if len(found) != 1:
        names = ", ".join(there) or "none"
        raise ConfigError(
            f"which archive? Those in {place}: {names}; name one with --archive, or set "
            f"drive.archive: {kind} in config/snapbus.yml"
        )
    return found[0], there[found[0]]
