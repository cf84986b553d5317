"""What stands on the disk whose power is cut: store and archive, with SQLite or PostgreSQL.

``look`` tells, after a cut, which of the acknowledged are lost, which are there twice, and what
the doctor has to say.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from services.scheduler.reconciler import Reconciler
from shared.admin.doctor import Doctor
from shared.admin.doctor.files import sha256_of
from shared.ingest.intake import Intake
from shared.journal import Journal
from shared.journal.queries.audit import Catalogued
from shared.service import Context
from shared.settings import Settings
from shared.settings.directory import CameraDirectory
from shared.store import Store
from tests.chaos.disk import Disk
from tests.support.postgres import PostgresServer
from tests.support.servers import family


@dataclass(frozen=True, slots=True)
class Found:
    """What was found after a cut: acknowledgements of which something is lost, by what it is."""

    lost: Counter[str]
    twice: int
    more: int
    spooled: int
    doctor: list[str]


class Site(Protocol):
    """One set-up on a disk."""

    disk: Disk

    def arguments(self) -> list[str]:
        """Of the writer."""

    def processes(self) -> list[int]:
        """What dies with the writer."""

    def look(self, acknowledged: Collection[str]) -> Found:
        """Start what the cut ended and compare."""

    def close(self) -> None:
        """End and remove everything."""


class Files:
    """Store, folder archive and SQLite journal."""

    def __init__(self, folder: Path, control: str) -> None:
        self.disk = Disk(folder, folder / "disk")
        self._begin()

    def _begin(self) -> None:
        self._store = Store(self.disk.place / "store")
        self._store.create()
        self._owed: set[str] = set()
        self.disk.sync()

    @property
    def _archive(self) -> Path:
        return self.disk.place / "archive"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.disk.place}/journal.db"

    def arguments(self) -> list[str]:
        return ["--store", str(self._store.root), "--journal", self.url]

    def processes(self) -> list[int]:
        return []

    def look(self, acknowledged: Collection[str]) -> Found:
        with contextlib.closing(Journal.open(self.url)) as journal:
            journal.facts.belongs_to(self._store.volume.identity())
            spooled = _empty_spool(self._store, journal)
            catalogue = list(journal.audit.catalogue())
            lost = self._missing(acknowledged, catalogue)
            doctor = Doctor(self._store, journal, {"folder": self._archive}, level="hashes")
            told = [f"{found.invariant}: {found.what}" for found in doctor.findings()]
        rows = Counter(row.sha256 for row in catalogue)
        known = {line.split()[0] for line in self._owed}
        files = Counter(path.stem[-26:] for path in self._archive.rglob("*.jpg"))
        twice = sum(count > 1 for count in (*rows.values(), *files.values()))
        return Found(lost, twice, len(rows.keys() - known), spooled, told)

    def _missing(
        self, acknowledged: Collection[str], catalogue: Collection[Catalogued]
    ) -> Counter[str]:
        """What is lost now, of this and of all earlier rounds; each loss is told once."""
        self._owed |= set(acknowledged)
        rows = {row.sha256 for row in catalogue}
        archived = {row.id for row in catalogue if row.filed}
        lost: Counter[str] = Counter()
        for line in list(self._owed):
            match line.split():
                case ["archived", snapshot_id, sha256, path]:
                    place, what, there = self._archive / path, "archived ", snapshot_id in archived
                case [sha256, _size]:
                    place, what, there = self._store.place(sha256), "", sha256 in rows
            problems = [what + problem for problem in _problems(place, sha256, there)]
            lost.update(problems)
            if problems:
                self._owed.remove(line)
        return lost

    def close(self) -> None:
        self.disk.close()


def _empty_spool(store: Store, journal: Journal) -> int:
    """Have the product record what was acknowledged without the database."""
    intake = Intake(store, journal, lambda events: None, max_bytes=1)
    settings = Settings.model_validate({"data": store.root})
    told: list[Any] = []
    context = Context(
        settings,
        store,
        journal,
        intake,
        told.extend,
        lambda service, events: None,
        CameraDirectory(settings.cameras),
    )
    spooled = len(list((store.root / "spool").glob("*.json")))
    Reconciler(context, at_once=False).reconcile()
    return spooled


def _problems(place: Path, sha256: str, there: bool) -> Iterator[str]:
    if not there:
        yield "row"
    try:
        if sha256_of(place) != sha256:
            yield "bytes"
    except OSError:
        yield "file"


class _PowerPostgres(PostgresServer):
    """A PostgreSQL whose data are on a disk of their own."""

    def _initdb(self) -> None:
        self.disk = Disk(self.root, self.root / "disk")
        self.root.chmod(0o755)
        data = self.disk.place / "postgres"
        data.mkdir(mode=0o700)
        if self._owner:
            os.chown(data, self._owner.pw_uid, self._owner.pw_gid)
        (self.root / "data").symlink_to(data)
        super()._initdb()
        self.disk.sync()

    def processes(self) -> list[int]:
        return family(self._process.pid) if self._process else []


class Database(Files):
    """Store, folder archive and PostgreSQL journal."""

    def __init__(self, folder: Path, control: str) -> None:
        self._server = _PowerPostgres(durable=True)
        self._server.start()
        self.disk = self._server.disk
        self._begin()
        self._name = self._server.add_database()
        if control == "synchronous-commit-off":
            self._server._execute(f"ALTER DATABASE {self._name} SET synchronous_commit = off")

    @property
    def url(self) -> str:
        self._server.start()
        return self._server.url(self._name)

    def processes(self) -> list[int]:
        return self._server.processes()

    def close(self) -> None:
        self._server.kill()
        self.disk.close()
        self._server.close()
