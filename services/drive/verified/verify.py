"""Compares what an archive holds with what the journal says of it, or else with its manifests."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from ulid import ULID

from services.drive.archives.archive import Archive, Entry, NotThere
from services.drive.verified import chain
from shared.events import now
from shared.journal import Journal
from shared.journal.manifests import Held

LEVELS = ("sizes", "hashes")
"""Every file, its size and what the archive says of its bytes; or also every byte."""
WORKING_S = 600.0
"""A picture that is younger is perhaps being filed just now."""
_ID = re.compile(r"_([0-9A-HJKMNP-TV-Z]{26})\.")


@dataclass(frozen=True, slots=True)
class Difference:
    """``what``: missing, changed, foreign or manifest. ``held`` is what should be there."""

    archive: str
    day: str
    what: str
    path: str
    detail: str
    held: Held | None = None


Progress = Callable[[str, int], None]
"""Is told a day, and how many of its files were looked at."""


class Verify:
    """One archive against the journal, and against its manifests where the journal knows nothing
    of a day. Changes nothing; runs beside the services."""

    def __init__(
        self,
        archive: Archive,
        journal: Journal,
        *,
        level: str = "sizes",
        progress: Progress = lambda day, count: None,
    ) -> None:
        self._archive = archive
        self._journal = journal
        self._hashes = level == "hashes"
        self._progress = progress

    def days(self) -> list[str]:
        """Every day of which the archive holds files, or should. Raises what archives raise."""
        there = {day.isoformat() for day in self._archive.days()}
        return sorted(there | set(self._journal.manifests.days(self._archive.name)))

    def day(self, day: str) -> Iterator[Difference]:
        """Every difference of a day. Raises what archives raise, and JournalUnavailable."""
        moment = date.fromisoformat(day)
        known = self._journal.manifests.held(self._archive.name, day)
        entries = list(self._archive.day(moment))
        data = self._archive.manifest(moment)
        yield from self._manifest(day, data)
        wanted = known or list(chain.read(data).held)
        found, foreign = _matched(wanted, entries)
        for number, held in enumerate(wanted, start=1):
            if problem := self._problem(held, found.get(held.path)):
                yield Difference(self._archive.name, day, *problem, held=held)
            self._progress(day, number)
        yield from self._foreign(day, foreign, known)

    def _problem(self, held: Held, entry: Entry | None) -> tuple[str, str, str] | None:
        """What is wrong with a copy: the kind of difference, its path and the detail."""
        if entry is None:
            return "missing", held.path, f"{held.size} bytes of snapshot {held.snapshot_id}"
        if entry.size != held.size:
            return "changed", held.path, f"has {entry.size} bytes, not {held.size}"
        digest = entry.sha256
        if self._hashes:
            try:
                digest = digest_of(self._archive.read(entry))
            except NotThere:
                return "missing", held.path, "it went while it was looked at"
        if digest and digest != held.sha256:
            return "changed", held.path, "has other bytes than were sent"
        return None

    def _foreign(
        self, day: str, entries: Iterable[Entry], known: Iterable[Held]
    ) -> Iterator[Difference]:
        entries = list(entries)
        if entries and known:  # what was filed since
            held = self._journal.manifests.held(self._archive.name, day)
            filed, keys = {each.path for each in held}, {each.key for each in held if each.key}
            before = {each.path for each in known}
            entries = [
                each for each in entries
                if each.path in before or not (each.path in filed or each.key in keys)
            ]  # fmt: skip
        for entry in entries:
            if not _young(entry):
                detail = f"{entry.size} bytes that were never filed"
                yield Difference(self._archive.name, day, "foreign", entry.path, detail)

    def _manifest(self, day: str, data: bytes) -> Iterator[Difference]:
        told = chain.read(data)
        path = f"manifest of {day}"
        ours = self._journal.manifests.of(self._archive.name, day)
        if told.broken:
            yield Difference(self._archive.name, day, "manifest", path, told.broken)
        elif ours is None:
            yield from self._anchored(day, path, told)
        elif not data:
            if ours.written_head:
                yield Difference(self._archive.name, day, "manifest", path, "it is missing")
        elif not ours.data.startswith(data):
            detail = "it is not that of the journal"
            yield Difference(self._archive.name, day, "manifest", path, detail)
        elif ours.written_head == ours.head and len(data) < len(ours.data):
            detail = f"it ends after line {len(told.hashes)}"
            yield Difference(self._archive.name, day, "manifest", path, detail)

    def _anchored(self, day: str, path: str, told: chain.Chain) -> Iterator[Difference]:
        """Without a journal: whether the day before has the line that this manifest refers to."""
        if not told.day_before:
            return
        earlier = chain.read(self._archive.manifest(date.fromisoformat(told.day_before)))
        if told.before not in earlier.hashes:
            detail = f"what it refers to is not in the manifest of {told.day_before}"
            yield Difference(self._archive.name, day, "manifest", path, detail)


def digest_of(chunks: Iterable[bytes]) -> str:
    """The SHA-256 of bytes that come in chunks."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def _matched(
    wanted: Iterable[Held], entries: Iterable[Entry]
) -> tuple[Mapping[str, Entry], list[Entry]]:
    """The entry of each copy by its path, and the entries of none. What the archive knows by a key
    may have another name by now."""
    by_key = {each.key: each for each in wanted if each.key}
    paths = {each.path for each in wanted}
    found: dict[str, Entry] = {}
    left = []
    for entry in entries:
        if entry.key and entry.key in by_key:
            found[by_key[entry.key].path] = entry
        else:
            left.append(entry)
    foreign = []
    for entry in left:
        if entry.path in paths and entry.path not in found:
            found[entry.path] = entry
        else:
            foreign.append(entry)
    return found, foreign


def _young(entry: Entry) -> bool:
    """Whether it is named like a picture that came a moment ago; clocks may differ a little."""
    match = _ID.search(entry.path)
    try:
        taken = ULID.from_str(match[1]).datetime if match else None
    except ValueError:
        return False
    near = timedelta(seconds=WORKING_S)
    return taken is not None and abs(taken.astimezone(UTC) - now()) < near
