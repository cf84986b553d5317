"""What archives are said to hold, day by day, and the manifests that tell it.

A manifest is a file of JSON lines. Its first line names archive and day; each further one a copy.
``before`` of a line is the SHA-256 of the line before it, and of the first line that of the last
line which the manifest of the day before had then: nothing can be changed or taken out unseen.
Late pictures are further lines. Any thread; raises JournalUnavailable.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, union, update

from shared.journal.database import Database
from shared.journal.schema import filings, manifests, snapshots, superseded
from shared.journal.statements import insert_new

BATCH = 1000
_LINE = ("path", "sha256", "size", "kind")


@dataclass(frozen=True, slots=True)
class Held:
    """A copy that an archive confirmed. ``original`` is the hash of the picture that was taken;
    that and what follows is empty where the journal no longer knows the snapshot."""

    path: str
    sha256: str
    size: int
    kind: str
    snapshot_id: str
    key: str = ""
    original: str = ""
    camera: str = ""
    organisation: str = ""
    media_type: str = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of one day: its lines, the hash of the last, and the one that the archive was
    last seen to have."""

    data: bytes
    head: str
    written_head: str


class Manifests:
    """The manifests in the journal, which those in archives are copies of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def days(self, archive: str) -> list[str]:
        """The days of which an archive holds copies, oldest first."""
        query = select(filings.c.day).where(filings.c.archive == archive, filings.c.day != "")
        with self._database.reading() as connection:
            return list(connection.execute(query.distinct().order_by(filings.c.day)).scalars())

    def held(self, archive: str, day: str) -> list[Held]:
        """Every copy that an archive holds of a day, by path."""
        of_it = snapshots.c.id == filings.c.snapshot_id
        own = (snapshots.c.camera, snapshots.c.organisation, snapshots.c.media_type)
        query = (
            select(filings, snapshots.c.sha256.label("original"), *own)
            .outerjoin(snapshots, of_it)
            .where(filings.c.archive == archive, filings.c.day == day)
            .order_by(filings.c.path)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings()
            return [
                Held(**{name: row[name] for name in Held.__slots__ if row[name] is not None})
                for row in rows
            ]

    def open_days(self, archive: str) -> list[str]:
        """The days whose manifest lacks copies, or is not in the archive as it is here."""
        missing = filings.c.line.is_(None) & (filings.c.day != "")
        lacking = select(filings.c.day).where(filings.c.archive == archive, missing)
        stale = manifests.c.head != manifests.c.written_head
        unwritten = select(manifests.c.day).where(manifests.c.archive == archive, stale)
        with self._database.reading() as connection:
            return sorted(connection.execute(union(lacking, unwritten)).scalars())

    def extend(self, archive: str, day: str) -> None:
        """Add a line for each copy that has none, once, however many do this at the same time."""
        more = True
        while more:
            with self._database.writing() as connection:
                more = _extend(connection, archive, day)

    def of(self, archive: str, day: str) -> Manifest | None:
        """The manifest as it is now."""
        mine = (manifests.c.archive == archive) & (manifests.c.day == day)
        with self._database.reading() as connection:
            row = connection.execute(select(manifests).where(mine)).one_or_none()
            if row is None:
                return None
            text, head = _first(archive, day, row.before_day, row.before_head)
            lines = [text]
            for copy in _lines(connection, archive, day, row.lines):
                text, head = _next(head, copy)
                lines.append(text)
        return Manifest(("\n".join(lines) + "\n").encode(), head, row.written_head)

    def note_written(self, archive: str, day: str, head: str) -> None:
        """The archive has the manifest that ends with this hash; empty: it may have another."""
        mine = (manifests.c.archive == archive) & (manifests.c.day == day)
        with self._database.writing() as connection:
            connection.execute(update(manifests).where(mine).values(written_head=head))


def _extend(connection: Connection, archive: str, day: str) -> bool:
    """Add some lines; says whether there may be more."""
    mine = (manifests.c.archive == archive) & (manifests.c.day == day)
    _begin(connection, archive, day)
    row = connection.execute(select(manifests).where(mine).with_for_update()).one()
    new = (filings.c.archive == archive) & (filings.c.day == day) & filings.c.line.is_(None)
    order = (filings.c.snapshot_id, filings.c.kind)
    rows = connection.execute(select(filings).where(new).order_by(*order).limit(BATCH)).all()
    head, numbers = row.head, []
    for number, copy in enumerate(rows, start=row.lines + 1):
        _, head = _next(head, copy)
        numbers.append({"s": copy.snapshot_id, "k": copy.kind, "number": number})
    if numbers:
        the_copy = (
            (filings.c.archive == archive)
            & (filings.c.snapshot_id == bindparam("s"))
            & (filings.c.kind == bindparam("k"))
        )
        numbered = update(filings).where(the_copy).values(line=bindparam("number"))
        connection.execute(numbered, numbers)
        lines = row.lines + len(rows)
        connection.execute(update(manifests).where(mine).values(lines=lines, head=head))
    return len(rows) == BATCH


def _begin(connection: Connection, archive: str, day: str) -> None:
    """Begin the manifest of a day, if it is the first time."""
    earlier = (manifests.c.archive == archive) & (manifests.c.day < day)
    latest = select(manifests.c.day, manifests.c.head).where(earlier)
    found = connection.execute(latest.order_by(manifests.c.day.desc()).limit(1)).one_or_none()
    before_day, before_head = found or ("", "")
    _, head = _first(archive, day, before_day, before_head)
    row = {"archive": archive, "day": day, "before_day": before_day, "before_head": before_head}
    insert_new(connection, manifests, {**row, "lines": 0, "head": head})


def _lines(connection: Connection, archive: str, day: str, last: int) -> Iterator[Row[Any]]:
    """What the lines up to ``last`` tell, in their order."""
    found: dict[int, Row[Any]] = {}
    # In this order: a copy that is replaced meanwhile is in both, and in neither the other way.
    for table in (filings, superseded):
        mine = (table.c.archive == archive) & (table.c.day == day) & (table.c.line <= last)
        found.update({row.line: row for row in connection.execute(select(table).where(mine))})
    return (found[number] for number in sorted(found))


def _first(archive: str, day: str, before_day: str, before_head: str) -> tuple[str, str]:
    values = {"archive": archive, "day": day, "day_before": before_day, "before": before_head}
    return _text({**values, "manifest": 1})


def _next(head: str, copy: Any) -> tuple[str, str]:
    values = {name: getattr(copy, name) for name in _LINE}
    return _text({**values, "snapshot": copy.snapshot_id, "before": head})


def _text(values: dict[str, object]) -> tuple[str, str]:
    """A line, and its hash."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text, hashlib.sha256(text.encode()).hexdigest()
