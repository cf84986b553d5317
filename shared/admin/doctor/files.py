"""The journal against the files, in both directions: what it knows must be there, and what is there
it must know."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from shared.admin.doctor.finding import Finding
from shared.errors import StoreError
from shared.ingest.spool import Spool
from shared.journal.queries.audit import Catalogued
from shared.store import Store

PART_S = 3600.0
"""A part that is older will never be finished."""
FILED = re.compile(r"_[0-9A-HJKMNP-TV-Z]{26}\.(jpg|png)$")
"""How the folder archive names what it files; other files in it are none of our business."""


class Files:
    """The files of one store and its folder archives, by name. Ask ``of`` for every snapshot
    first: then the others know what is known."""

    def __init__(
        self, store: Store, archives: Mapping[str, Path], *, hashes: bool, grace_s: float
    ) -> None:
        self.store = store
        self._archives = archives
        self._hashes = hashes
        self._grace_s = grace_s
        self._known: set[str] = set()
        self._filed: set[str] = set()

    def of(self, snapshot: Catalogued) -> Iterator[Finding]:
        """The files that a row promises (I2, I9)."""
        self._known.add(snapshot.sha256)
        path = self.store.where(snapshot.sha256)
        filed = [
            self._archives[name] / place for name, place in snapshot.filed if name in self._archives
        ]
        problem = self._stored(snapshot)
        if problem:
            source = next(filter(Path.is_file, filed), "an archive or a backup")
            yield Finding(
                "I2", f"snapshot {snapshot.id}: its file {problem}", f"restore {path} from {source}"
            )
        for name, place in snapshot.altered:
            if name in self._archives:
                self._filed.add(str(self._archives[name] / place))
        for copy in filed:
            self._filed.add(str(copy))
            if problem := self._compare(copy, snapshot):
                yield Finding(
                    "I9",
                    f"snapshot {snapshot.id}: its archived file {problem}",
                    f"copy {path} to {copy}",
                )

    def _compare(self, path: Path, snapshot: Catalogued) -> str:
        try:
            size = path.stat().st_size
            if size != snapshot.size:
                return f"has {size} bytes, not {snapshot.size}"
            if self._hashes and sha256_of(path) != snapshot.sha256:
                return "has other bytes than were taken"
        except OSError as error:
            return f"can't be read: {error.strerror}"
        return ""

    def _stored(self, snapshot: Catalogued) -> str:
        try:
            size = self.store.size(snapshot.sha256)
            if size != snapshot.size:
                return f"has {size} bytes, not {snapshot.size}"
            if self._hashes and self.store.digest(snapshot.sha256) != snapshot.sha256:
                return "has other bytes than were taken"
        except OSError as error:
            return f"can't be read: {error.strerror}"
        except StoreError as error:
            return f"can't be read: {error}"
        return ""

    def spooled(self) -> Iterator[Finding]:
        """What was acknowledged while the journal was away, and waits for it (I1, I2)."""
        spool = Spool(self.store)
        readable = set()
        for waiting in spool:
            data = waiting.taken.data
            name = f"snapshot {waiting.taken.snapshot_id}"
            readable.add(f"{waiting.taken.snapshot_id}.json")
            self._known.add(str(data["sha256"]))
            row = Catalogued(name, str(data["sha256"]), int(data["size"]))
            if problem := self._stored(row):
                remedy = f"restore {self.store.where(row.sha256)} from a backup"
                yield Finding("I2", f"{name} waits in the spool: its file {problem}", remedy)
            if _age_s(spool.path(waiting)) > self._grace_s:
                yield Finding(
                    "I1",
                    f"{name} waits in the spool and is not catalogued",
                    "start the scheduler with its database: it records what is spooled",
                )
        for path in sorted(self.store.root.glob("spool/*.json")):
            if path.name not in readable:
                yield Finding(
                    "I1",
                    f"{path} can't be read, so the picture it tells of is not catalogued",
                    "find its picture among the files that belong to no snapshot; --adopt takes it",
                )

    def unknown(self) -> Iterator[Finding]:
        """Files that no row and no spooled entry tells of (I3, I9)."""
        for sha256, _ in self.orphans():
            yield Finding(
                "I3",
                f"{self.store.where(sha256)} belongs to no snapshot",
                "--adopt catalogues it, if the journal is older than the files; else nobody was "
                "told that it was taken, and it may be deleted",
            )
        for folder in ("incoming", "spool"):
            for path in self.store.root.glob(f"{folder}/*.part"):
                if _age_s(path) > PART_S:
                    yield Finding("I3", f"{path} was never finished", "remove it with --repair")
        for path in chain.from_iterable(sorted(root.rglob("*")) for root in self._roots()):
            stranger = FILED.search(path.name) and str(path) not in self._filed
            if stranger and _age_s(path) > self._grace_s:
                yield Finding(
                    "I9",
                    f"{path} is in the archive, but no snapshot says so",
                    "the journal is older than the archive; the file is a picture all the same",
                )

    def _roots(self) -> list[Path]:
        return [self._archives[name] for name in sorted(self._archives)]

    def orphans(self) -> Iterator[tuple[str, float]]:
        """Blobs of which neither journal nor spool knows, and when they were written."""
        for sha256, written_at in self.store.kept():
            # A picture that is being taken right now is stored before it is catalogued.
            if sha256 not in self._known and time.time() - written_at > self._grace_s:
                yield sha256, written_at


def sha256_of(path: Path) -> str:
    """Of the bytes of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
