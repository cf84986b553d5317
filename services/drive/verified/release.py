"""The one answer to whether a picture's original may be deleted from the store."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import date

from services.drive.archives.archive import Archive, Entry
from services.drive.verified.verify import digest_of
from shared.errors import HandlerError
from shared.events import ORIGINAL
from shared.journal import Journal
from shared.journal.queries.snapshot import Filing, Snapshot
from shared.settings.archive import RetentionSection

LISTING_S = 300.0
"""How long the listing of a day is believed, and so the stars in it."""


class Release:
    """Looks into the archives, so that nothing is deleted that is not really there. One thread.
    Who deletes asks the journal once more in the transaction that says so: a hold may come at any
    time."""

    def __init__(
        self, archives: Mapping[str, Archive], journal: Journal, section: RetentionSection
    ) -> None:
        """``archives`` are all that are in use."""
        self._archives = archives
        self._journal = journal
        self._wanted: Sequence[str] = section.archives or tuple(archives)
        self._kinds = section.copies
        self._listings: dict[str, tuple[date, float, Mapping[str, Entry]]] = {}

    def why_not(self, snapshot_id: str) -> str:
        """Why the original has to stay; empty: it may go. Raises JournalUnavailable."""
        snapshot = self._journal.read.snapshot(snapshot_id)
        if snapshot is None:
            return "the journal does not know it"
        if snapshot.holders:
            return f"it is held by {' and '.join(snapshot.holders)}"
        if reason := self._starred(snapshot):
            return reason
        holding = 0
        for name in self._wanted:
            filings = [each for each in snapshot.filings if each.archive == name]
            if any(each.state == "skipped" for each in filings):
                continue  # by its policy this archive is not to have it
            if problem := self._problem(name, filings, snapshot):
                return problem
            holding += 1
        return "" if holding else "no archive is to hold it"

    def _starred(self, snapshot: Snapshot) -> str:
        """Whether people want it to stay: a star counts in every archive and on every copy."""
        for filing in snapshot.filings:
            archive = self._archives.get(filing.archive)
            if archive is None or not filing.path:
                continue
            try:
                entry = self._entry(archive, filing)
            except HandlerError as error:
                return f"archive {archive.name} can't be asked: {error}"
            if entry and entry.starred:
                return f"it is starred in archive {archive.name}"
        return ""

    def _problem(self, name: str, filings: Sequence[Filing], snapshot: Snapshot) -> str:
        archive = self._archives.get(name)
        if archive is None:
            return f"archive {name} is not in use"
        counted = [each for each in filings if each.path and each.kind in self._kinds]
        if not counted:
            return f"archive {name} holds no copy that counts"
        problem = ""
        for filing in counted:
            if filing.kind == ORIGINAL and filing.sha256 != snapshot.sha256:
                problem = f"what archive {name} holds was never the picture"
                continue
            try:
                problem = self._looked_at(archive, filing)
            except HandlerError as error:
                problem = f"archive {name} can't be asked: {error}"
            if not problem:
                break
        return problem

    def _looked_at(self, archive: Archive, filing: Filing) -> str:
        entry = self._entry(archive, filing)
        if entry is None:
            return f"archive {archive.name} lost it"
        digest = entry.sha256 or digest_of(archive.read(entry))
        if entry.size != filing.size or digest != filing.sha256:
            return f"archive {archive.name} holds it damaged"
        return ""

    def _entry(self, archive: Archive, filing: Filing) -> Entry | None:
        try:
            day = date.fromisoformat(filing.path[:10].replace("/", "-"))
        except ValueError:
            return None  # another program may have put the event on the bus
        known = self._listings.get(archive.name)
        if known is None or known[0] != day or time.monotonic() - known[1] > LISTING_S:
            begun = time.monotonic()
            entries = {each.key or each.path: each for each in archive.day(day)}
            known = self._listings[archive.name] = (day, begun, entries)
        return known[2].get(filing.key or filing.path)
