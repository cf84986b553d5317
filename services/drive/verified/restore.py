"""Brings pictures back from archives: into the store, or into a folder."""

from __future__ import annotations

import errno
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from services.drive.age import Identities
from services.drive.archives.archive import Archive, Entry
from services.drive.copies import ENCRYPTED
from services.drive.verified import chain
from services.drive.verified.sources import NoSource, Scope, Sources, write_verified
from services.drive.verified.verify import digest_of
from shared.errors import HandlerError
from shared.events import ORIGINAL
from shared.journal import Journal
from shared.journal.manifests import Held
from shared.store import Store
from shared.store.disk import sync_folder

_OF_THIS_PATH = frozenset(
    {errno.EEXIST, errno.EISDIR, errno.EINVAL, errno.ENAMETOOLONG, errno.ENOTDIR}
)
"""Errors of one path of a manifest; every other one says that the folder can't be used."""


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
        self._identities = Identities(identity) if identity else None
        self._hashes = hashes
        self._progress = progress

    def into_store(self, scope: Scope) -> Report:
        """Every picture whose file the store lacks. Raises what archives raise, StoreError,
        OSError and JournalUnavailable."""
        report, failed = Report(), dict[str, tuple[str, str]]()
        with tempfile.TemporaryDirectory(dir=self._store.incoming) as folder:
            for _, held in self._copies(scope, report):
                if held.kind not in (ORIGINAL, ENCRYPTED):
                    continue  # no picture comes of it
                picture = held.original or held.sha256
                try:
                    if self._brought(held, Path(folder)):
                        report.restored += 1
                    else:
                        report.there += 1
                    failed.pop(picture, None)
                except (NoSource, HandlerError) as error:
                    failed[picture] = held.path, str(error)
        report.failed = list(failed.values())
        return report

    def _brought(self, held: Held, folder: Path) -> bool:
        """Put the picture of a copy into the store; False: it was there. Without a journal nobody
        knows which picture is encrypted before it is opened."""
        known = bool(held.original) or held.kind == ORIGINAL
        if known and self._sources.stored(held, hashes=self._hashes):
            return False
        if not self._opens(held):
            raise NoSource("it is encrypted: --identity FILE opens it")
        path = self._fetched(held, folder)
        try:
            found = held if known else replace(held, original=_digest(path))
            if not known and self._sources.stored(found, hashes=self._hashes):
                return False
            self._sources.into_store(path, found.original or found.sha256)
            return True
        finally:
            path.unlink()

    def into_folder(self, scope: Scope, folder: Path) -> Report:
        """Every copy, under its path, into a folder. Raises what archives raise, OSError and
        JournalUnavailable."""
        report = Report()
        for archive, held in self._copies(scope, report):
            try:
                if self._copied(archive, held, folder):
                    report.restored += 1
                else:
                    report.there += 1
            except (NoSource, HandlerError) as error:
                report.failed.append((held.path, str(error)))
            except OSError as error:
                if error.errno not in _OF_THIS_PATH:
                    raise
                report.failed.append((held.path, f"can't be written there: {error.strerror}"))
        return report

    def _copied(self, archive: Archive, held: Held, folder: Path) -> bool:
        """Write a copy under its path; False: it was there."""
        opened = held.kind != ORIGINAL and self._opens(held)
        target = _inside(folder, held.path.removesuffix(".age") if opened else held.path)
        wanted = held.original if opened else held.sha256
        if target.is_file() and wanted and _digest(target) == wanted:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        path = self._fetched(held, target.parent, archive, opened=opened)
        try:
            path.replace(target)
        finally:
            path.unlink(missing_ok=True)
        sync_folder(target.parent)
        return True

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
        return held.kind == ORIGINAL or (held.kind == ENCRYPTED and self._identities is not None)

    def _fetched(
        self, held: Held, folder: Path, archive: Archive | None = None, *, opened: bool = True
    ) -> Path:
        """A new file of the copy's bytes, opened where it is encrypted; from this archive, or from
        whoever has it."""
        path = folder / f".{uuid.uuid4().hex}.part"
        entry = Entry(held.path, held.size, key=held.key)
        if not (archive and _read(archive, entry, path, held)):
            self._sources.fetch(held, path)
        if held.kind == ORIGINAL or not opened or self._identities is None:
            return path
        plain = path.with_name(f"{path.name}.open")
        try:
            self._identities.decrypt(path, plain)
        except BaseException:
            plain.unlink(missing_ok=True)
            raise
        finally:
            path.unlink()
        if held.original and _digest(plain) != held.original:
            plain.unlink()
            raise NoSource("what was encrypted is not the picture that was taken")
        return plain


def _read(archive: Archive, entry: Entry, path: Path, held: Held) -> bool:
    try:
        return write_verified(archive.read(entry), path, held)
    except HandlerError:
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return digest_of(iter(lambda: file.read(1 << 20), b""))


def _inside(folder: Path, relative: str) -> Path:
    """A path of a manifest, which anybody may have written, inside a folder."""
    parts = relative.split("/")
    if not all(parts) or {".", ".."} & set(parts) or "\0" in relative:
        raise NoSource("it is no path inside an archive")
    return folder.joinpath(*parts)
