"""The handler of holds: what people keep is exempt from the archive's own rules."""

from __future__ import annotations

from collections.abc import Sequence

from services.drive.archives.archive import Archive, Entry
from shared.errors import Unreachable
from shared.events import Event
from shared.journal import Journal


class HoldSnapshots:
    """``snapshot.kept`` → nothing: the archive is told whether anybody holds the picture now. A
    repeat tells it the same."""

    def __init__(self, archive: Archive, journal: Journal) -> None:
        self._archive = archive
        self._journal = journal

    def __call__(self, event: Event) -> Sequence[Event]:
        snapshot = self._journal.read.snapshot(event.snapshot_id or "")
        if snapshot is None or snapshot.state == "quarantined":
            return []
        filings = [each for each in snapshot.filings if each.archive == self._archive.name]
        if not filings:
            # Who files it began before it was held, or did not begin yet.
            raise Unreachable(f"filing in {self._archive.name}", "it is not filed yet")
        for each in filings:
            if each.path:
                entry = Entry(each.path, each.size, key=each.key or "")
                self._archive.hold(entry, on=bool(snapshot.holders))
        return []
