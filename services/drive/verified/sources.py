"""Where the bytes of a copy can be had from: the store, and every archive that holds the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.drive.archives.archive import Archive, Entry
from shared.errors import HandlerError, StoreDamaged, StoreError, StoreFull, StoreMissing
from shared.events import ORIGINAL
from shared.journal import Journal
from shared.journal.manifests import Held
from shared.store import Store

CHUNK_BYTES = 1 << 20


class NoSource(Exception):
    """Nobody has the bytes; the text says who was asked and why not."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which copies are meant: of days (``2026-11-21``, from first to last) and of a camera; empty:
    all."""

    first: str = ""
    last: str = ""
    camera: str = ""

    def of_day(self, day: str) -> bool:
        return (not self.first or self.first <= day) and (not self.last or day <= self.last)

    def of_copy(self, held: Held) -> bool:
        return not self.camera or self.camera == camera_of(held)


def camera_of(held: Held) -> str:
    """The camera of a copy; where the journal is gone, by the name of its file."""
    return held.camera or held.path.rpartition("/")[2].rsplit("_", 2)[0]


class Sources:
    """Finds bytes by their hash, and hands them on only if they have it. Any thread."""

    def __init__(self, store: Store, archives: Mapping[str, Archive], journal: Journal) -> None:
        self._store = store
        self._archives = archives
        self._journal = journal

    def fetch(self, held: Held, target: Path, *, without: str = "") -> str:
        """Write the bytes of a copy to a new file, synced; returns where they come from.
        ``without`` is an archive not to be asked. Raises NoSource, OSError or JournalUnavailable;
        then there is no file."""
        tried = []
        for name, chunks in self._offers(held, without):
            try:
                if write_verified(chunks, target, held):
                    return name
                tried.append(f"{name} has other bytes")
            except (NoSource, HandlerError) as error:
                tried.append(f"{name}: {error}")
        raise NoSource("; ".join(tried))

    def _offers(self, held: Held, without: str) -> Iterator[tuple[str, Iterable[bytes]]]:
        yield "the store", self._of_store(held.sha256)
        snapshot = self._journal.read.snapshot(held.snapshot_id)
        asked = set()
        for each in snapshot.filings if snapshot else ():
            archive = self._archives.get(each.archive)
            if archive and each.archive != without and each.sha256 == held.sha256:
                asked.add(each.archive)
                entry = Entry(each.path, each.size, key=each.key or "")
                yield f"archive {each.archive}", archive.read(entry)
        for name, archive in self._archives.items():
            if name != without and name not in asked and snapshot is None:
                yield f"archive {name}", archive.read(Entry(held.path, held.size))

    def _of_store(self, sha256: str) -> Iterator[bytes]:
        try:
            yield from _chunks(self._store.path(sha256))
        except (OSError, StoreError) as error:
            raise NoSource(str(error)) from error

    def stored(self, held: Held, *, hashes: bool) -> bool:
        """Whether the store has the picture of a copy; with ``hashes`` its bytes are looked at.
        Raises StoreError while the store itself is away."""
        sha256 = held.original or held.sha256
        try:
            size = self._store.size(sha256)
            if held.kind == ORIGINAL and size != held.size:
                return False
            return not hashes or self._store.digest(sha256) == sha256
        except (StoreMissing, StoreFull, StoreDamaged):
            raise
        except (OSError, StoreError):  # it is not there, or can't be read
            return False

    def into_store(self, path: Path, sha256: str) -> None:
        """Put a file with this hash into the store. Raises StoreError or OSError."""
        part = self._store.receive(path.stat().st_size)
        try:
            for chunk in _chunks(path):
                part.write(chunk)
            if part.sha256 != sha256:
                raise OSError(f"{path} changed while it was put into the store")
            part.commit()
        finally:
            part.discard()


def write_verified(chunks: Iterable[bytes], target: Path, held: Held) -> bool:
    """Write bytes to a new file and sync it, if they are those of the copy; else there is no file,
    and no more was read than one chunk beyond its size."""
    digest, size = hashlib.sha256(), 0
    try:
        with target.open("wb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > held.size:
                    break
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    if size > held.size or digest.hexdigest() != held.sha256:
        target.unlink()
        return False
    return True


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
