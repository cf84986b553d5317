"""Keeps the manifests of an archive: what was filed since is told in the archive itself."""

from __future__ import annotations

import logging
from datetime import date

from services.drive.archives.archive import Archive
from shared.backoff import pause_s
from shared.errors import HandlerError, JournalUnavailable
from shared.failpoint import reach
from shared.journal import Journal
from shared.stop import Stop

log = logging.getLogger(__name__)

FIRST_S, AGAIN_S = 30.0, 300.0
"""After the start, and between tries at an archive or a journal that is away."""


class ManifestKeeper:
    """A source that says no events. Safe to repeat, and with another at the same time: lines are
    numbered in one transaction, and what is written is the whole of them."""

    def __init__(self, archive: Archive, journal: Journal, *, every_s: float) -> None:
        self.name = f"manifests of {archive.name}"
        self._archive = archive
        self._journal = journal
        self._every_s = every_s

    def run(self, stop: Stop) -> None:
        failures, wait_s = 0, min(FIRST_S, self._every_s)
        while not stop.wait(wait_s):
            try:
                self.write(stop)
                failures, wait_s = 0, self._every_s
            except (HandlerError, JournalUnavailable) as error:
                failures += 1
                wait_s = min(self._every_s, pause_s(failures, FIRST_S, AGAIN_S))
                level = logging.WARNING if failures == 1 else logging.DEBUG
                text = "manifests of %s wait: %s"
                log.log(level, text, self._archive.name, error, extra={"action": "manifest_waits"})

    def write(self, stop: Stop | None = None) -> None:
        """Bring the manifest of every day up to date. Raises what archives raise, and
        JournalUnavailable."""
        for day in self._journal.manifests.open_days(self._archive.name):
            if stop and stop.is_set():
                return
            write(self._archive, self._journal, day)


def write(archive: Archive, journal: Journal, day: str) -> None:
    """Bring one manifest up to date, in the journal and in the archive."""
    journal.manifests.extend(archive.name, day)
    reach("manifest.extended")
    manifest = journal.manifests.of(archive.name, day)
    if manifest is None:
        return
    # Until this one is there, the archive may have any: another may be writing an earlier one.
    journal.manifests.note_written(archive.name, day, "")
    archive.write_manifest(date.fromisoformat(day), manifest.data)
    reach("manifest.written")
    journal.manifests.note_written(archive.name, day, manifest.head)
