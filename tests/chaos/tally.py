"""The account of a run: what the senders know, compared with journal, store and archive.

It shares no code with the product: plain SQL, and the bytes of the files.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.ledger import Ledger

FETCHED = "fetched"
"""The camera that is asked for pictures; its snapshots are known by their request."""


class Rows:
    """Plain SQL on the journal, past every proxy."""

    def __init__(self, address: str) -> None:
        self._address = address

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query, by a connection of its own."""
        if self._address.startswith("postgresql:"):
            with psycopg.connect(self._address, connect_timeout=5) as link:
                return list(link.execute(sql.encode()))
        uri = f"file:{self._address}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=5)) as file:
            return list(file.execute(sql))

    def archived(self, sha256: str) -> bool:
        """Whether a picture has reached the end of its way; False when nobody can say."""
        try:
            found = self.fetch(f"SELECT state FROM snapshots WHERE sha256 = '{sha256}'")
        except (psycopg.Error, sqlite3.Error):
            return False
        return ("archived",) in found

    def open_work(self) -> str:
        """What is still on its way, in words; empty: nothing."""
        counts = {
            "snapshots": "SELECT count(*) FROM snapshots WHERE state IN ('taken', 'analyzed')",
            "unpublished": "SELECT count(*) FROM events WHERE published_at IS NULL",
            "unfinished": "SELECT count(*) FROM work WHERE status IN ('retry', 'tried')",
        }
        try:
            found = {name: self.fetch(sql)[0][0] for name, sql in counts.items()}
        except (psycopg.Error, sqlite3.Error) as error:
            return f"the journal is away: {error}"
        return ", ".join(f"{count} {name}" for name, count in found.items() if count)


@dataclass(slots=True)
class Account:
    """The result. Each entry of a list is one picture or effect, and says what is wrong."""

    attempted: int = 0
    acknowledged: int = 0
    refused: int = 0
    unanswered: int = 0
    fetched: int = 0
    duplicate_deliveries: int = 0
    lost: list[str] = field(default_factory=list)
    duplicate_effects: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    recoveries: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.duplicate_effects or self.unexpected)


@dataclass(frozen=True, slots=True)
class Row:
    """A snapshot as the catalogue has it."""

    id: str
    sha256: str
    camera: str
    state: str
    path: str


def settle(
    account: Account, ledger: Ledger, rows: Rows, store: Path, archive: Path, before: str
) -> None:
    """Fill an account from what is there after the drain. Pictures go on being fetched, so those
    with an id from ``before`` on are left out."""
    account.attempted = len(ledger.attempted)
    account.acknowledged = len(ledger.acknowledged)
    account.refused = ledger.answers["refused"]
    account.unanswered = ledger.answers["unknown"]
    snapshots = [row for row in _snapshots(rows) if row.camera != FETCHED or row.id < before]
    account.fetched = sum(row.camera == FETCHED for row in snapshots)
    by_picture: dict[str, list[Row]] = defaultdict(list)
    for row in snapshots:
        if row.camera != FETCHED:
            by_picture[row.sha256].append(row)
    problems = {row.id: _trouble(row, store, archive) for row in snapshots}
    for sha256 in sorted(ledger.acknowledged):
        found = by_picture.get(sha256, [])
        if not found:
            account.lost.append(f"{sha256} was acknowledged and is not catalogued")
        elif trouble := next(filter(None, (problems[row.id] for row in found)), ""):
            account.lost.append(f"{sha256} {trouble}")
    for sha256, found in by_picture.items():
        ids = ", ".join(row.id for row in found)
        account.duplicate_effects += [f"{sha256} is {ids}"] * (len(found) - 1)
        if sha256 not in ledger.attempted:
            account.unexpected.append(f"{ids}: nobody sent {sha256}")
        elif sha256 in ledger.unsound:
            account.unexpected.append(f"{ids}: {sha256} is unsound and was to be refused")
    for row in snapshots:
        if problems[row.id] and row.sha256 not in ledger.acknowledged:
            account.unexpected.append(f"{row.id} of {row.camera} {problems[row.id]}")
    _events(account, rows)
    _files(account, ledger, snapshots, archive, before)


def _snapshots(rows: Rows) -> list[Row]:
    found = rows.fetch(
        "SELECT s.id, s.sha256, s.camera, s.state, f.path FROM snapshots s"
        " LEFT JOIN filings f ON f.snapshot_id = s.id ORDER BY s.id"
    )
    return [Row(id, sha256, camera, state, path or "") for id, sha256, camera, state, path in found]


def _trouble(row: Row, store: Path, archive: Path) -> str:
    """Why a snapshot is not where it should be; empty: it is."""
    if row.state != "archived":
        return f"is {row.state}, not archived"
    places = {
        "store": store / "blobs" / row.sha256[:2] / row.sha256,
        "archive": archive / row.path,
    }
    for name, path in places.items():
        if not path.is_file():
            return f"is not in the {name}"
        if _sha256(path) != row.sha256:
            return f"has other bytes in the {name}"
    return ""


def _events(account: Account, rows: Rows) -> None:
    # Many requests may share one snapshot, each with an event of its own.
    twice = rows.fetch(
        "SELECT snapshot_id, topic, count(*) FROM events WHERE topic LIKE 'snapshot.%'"
        " AND topic <> 'snapshot.shared' AND snapshot_id IS NOT NULL"
        " GROUP BY snapshot_id, topic HAVING count(*) > 1"
    )
    account.duplicate_effects += [f"{id}: {count} times {topic}" for id, topic, count in twice]
    asked = rows.fetch(
        "SELECT cause, count(*) FROM events WHERE topic IN ('snapshot.taken', 'snapshot.shared')"
        f" AND subject = '{FETCHED}' GROUP BY cause HAVING count(*) > 1"
    )
    account.duplicate_effects += [f"request {id}: {count} answers" for id, count in asked]
    dead = rows.fetch("SELECT service, event_id, error FROM work WHERE status = 'dead'")
    account.unexpected += [f"{service} gave up {id}: {why}" for service, id, why in dead]


def _files(
    account: Account, ledger: Ledger, snapshots: Sequence[Row], archive: Path, before: str
) -> None:
    filed = {row.path for row in snapshots}
    for path in sorted(archive.glob("[0-9]*/*/*/*")):
        camera, _, rest = path.stem.partition("_")
        if camera == FETCHED and rest.rpartition("_")[2] >= before:
            continue
        if str(path.relative_to(archive)) not in filed:
            if _sha256(path) in ledger.attempted:
                account.duplicate_effects.append(f"{path.name} is filed and belongs to no snapshot")
            else:
                account.unexpected.append(f"{path.name} is filed and nobody sent it")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
