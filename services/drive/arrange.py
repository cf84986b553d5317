"""``archive``: brings what lies flat in a folder of Google Drive into folders by day, now.

    python -m services.drive archive
    python -m services.drive archive --archive cloud

A running service does the same every day; both at once do no harm.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from services.drive.archives.google import google_archive
from services.drive.archives.google.daily import told
from services.drive.archives.google.errors import GoogleError
from services.drive.which import google_section
from shared.errors import ConfigError, JournalUnavailable
from shared.journal import Journal
from shared.settings.load import chosen, load

FINE, WAITS, WRONG_USE = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="drive:archive", description=__doc__.split("\n")[0])
    parser.add_argument("--archive", default="", help="of several: its name in the configuration")
    parser.add_argument("--config", type=Path, help="default: config/snapbus.yml")
    options = parser.parse_args(arguments)
    try:
        settings = load(chosen(options.config))
        name, section = google_section(settings, options.archive)
        with closing(Journal.open(settings.journal_url, owner=False)) as journal:
            archive = google_archive(name, section, settings.data, journal)
            with closing(archive.client):
                done = archive.archiver.run(_say)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_USE
    except (GoogleError, JournalUnavailable) as error:
        sys.stderr.write(f"not finished, begin again when this is mended: {error}\n")
        return WAITS
    sys.stdout.write(f"Done: {told(done)}.\n")
    return FINE


def _say(counts: Mapping[str, int]) -> None:
    sys.stdout.write(f"{told(counts)} ...\n")
    sys.stdout.flush()
