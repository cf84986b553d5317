"""Prepares an archive once, and records in the journal that it was prepared."""

from __future__ import annotations

import hashlib
import threading

from services.drive.archives.archive import Archive
from shared.failpoint import reach
from shared.journal import Journal


class Prepared:
    """Call it before filing; after its first success it does nothing. Any thread. Raises OSError
    or JournalUnavailable."""

    def __init__(self, archive: Archive, journal: Journal) -> None:
        self._archive = archive
        self._journal = journal
        self._lock = threading.Lock()
        self._done = False

    def __call__(self) -> None:
        with self._lock:
            if not self._done:
                self._prepare()
                self._done = True

    def _prepare(self) -> None:
        """The journal holds which places were prepared, so that an empty mount point is not taken
        for a new archive."""
        place = self._archive.place
        fact = f"archive:{hashlib.sha256(place.encode()).hexdigest()[:32]}"
        self._archive.prepare(first=self._journal.facts.recall(fact) is None)
        reach("drive.prepared")
        self._journal.facts.remember(fact, place)
