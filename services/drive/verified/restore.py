"""Brings pictures back from archives: into the store, or into a folder."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from services.drive.age import decrypt
from services.drive.archives.archive import Archive, Entry
from services.drive.copies import ENCRYPTED
from services.drive.verified import chain
from services.drive.verified.sources import NoSource, Scope, Sources, write_verified
from services.drive.verified.verify import digest_of
from shared.errors import HandlerError, StoreError
from shared.events import ORIGINAL
from shared.journal import Journal
from shared.journal.manifests import Held
from shared.store import Store
from shared.store.disk import sync_folder


@dataclass(slots=True)
class Report:
    """What became of the copies in scope: how many were restored, how many were there, and what
    could not be restored and why."""

    restored: int = 0
    there: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


class Restore:
    """Reads archives and checks every byte by its hash. What is there already is left as it is, so
    that it goes on where it was broken off. ``identity`` opens encrypted copies, if it is given."""

    def __init__(
        self,
        archives: Mapping[str, Archive],
        journal: Journal,
        store: Store,
        *,
        identity: str = "",
        hashes: bool = False,
        progress: Callable[[str, Report], None] = lambda day, report: None,
    ) -> None:
        self._archives = archives
        self._journal = journal
        self._store = store
        self._sources = Sources(store, archives, journal)
        self._identity = identity
        self._hashes = hashes
        self._progress = progress

    def into_store(self, scope: Scope) -> Report:
        """Every picture whose file the store lacks. Raises what archives raise, StoreError,
        OSError and JournalUnavailable."""
        report, failed = Report(), dict[str, str]()
        with tempfile.TemporaryDirectory(dir=self._store.incoming) as folder:
            for _, held in self._copies(scope, report):
                picture = held.original or (held.sha256 if held.kind == ORIGINAL else "")
                if not picture or not self._opens(held):
                    continue
                if self._sources.stored(held, hashes=self._hashes):
                    report.there += 1
                    continue
                try:
                    path = self._fetched(held, Path(folder))
                    self._sources.into_store(path, picture)
                    path.unlink()
                    failed.pop(picture, None)
                    report.restored += 1
                except (NoSource, HandlerError) as error:
                    failed[picture] = f"{held.path}: {error}"
        report.failed = [tuple(text.split(": ", 1)) for text in failed.values()]  # type: ignore[misc]
        return report

    def into_folder(self, scope: Scope, folder: Path) -> Report:
        """Every copy, under its path, into a folder. Raises what archives raise, OSError and
        JournalUnavailable."""
        report = Report()
        for archive, held in self._copies(scope, report):
            opened = bool(self._identity) and self._opens(held) and held.kind != ORIGINAL
            target = _inside(folder, held.path.removesuffix(".age") if opened else held.path)
            wanted = held.original if opened else held.sha256
            if target.is_file() and wanted and _digest(target) == wanted:
                report.there += 1
                continue
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                path = self._fetched(held, target.parent, archive, opened=opened)
                path.replace(target)
                sync_folder(target.parent)
                report.restored += 1
            except (NoSource, HandlerError) as error:
                report.failed.append((held.path, str(error)))
        return report

    def _copies(self, scope: Scope, report: Report) -> Iterator[tuple[Archive, Held]]:
        for archive in self._archives.values():
            there = {day.isoformat() for day in archive.days()}
            for day in sorted(there | set(self._journal.manifests.days(archive.name))):
                if scope.of_day(day):
                    known = self._journal.manifests.held(archive.name, day)
                    data = b"" if known else archive.manifest(date.fromisoformat(day))
                    for held in known or chain.read(data).held:
                        if scope.of_copy(held):
                            yield archive, held
                    self._progress(day, report)

    def _opens(self, held: Held) -> bool:
        """Whether the picture itself can be had of this copy."""
        return held.kind == ORIGINAL or (held.kind == ENCRYPTED and bool(self._identity))

    def _fetched(
        self, held: Held, folder: Path, archive: Archive | None = None, *, opened: bool = True
    ) -> Path:
        """A new file of the copy's bytes, opened where it is encrypted; from this archive, or from
        whoever has it."""
        path = folder / f".{uuid.uuid4().hex}.part"
        entry = Entry(held.path, held.size, key=held.key)
        if not (archive and _read(archive, entry, path, held.sha256)):
            self._sources.fetch(held, path)
        if held.kind == ORIGINAL or not opened:
            return path
        plain = path.with_name(f"{path.name}.open")
        try:
            decrypt(path, plain, self._identity)
        finally:
            path.unlink()
        if held.original and _digest(plain) != held.original:
            plain.unlink()
            raise NoSource("what was encrypted is not the picture that was taken")
        return plain


def _read(archive: Archive, entry: Entry, path: Path, sha256: str) -> bool:
    try:
        return write_verified(archive.read(entry), path, sha256)
    except HandlerError:
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return digest_of(iter(lambda: file.read(1 << 20), b""))


def _inside(folder: Path, relative: str) -> Path:
    """A path of a manifest, which anybody may have written, inside a folder."""
    parts = relative.split("/")
    if not all(parts) or {".", ".."} & set(parts) or "\0" in relative:
        raise StoreError(f"{relative!r} is no path inside an archive")
    return folder.joinpath(*parts)
