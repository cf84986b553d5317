"""The journal's side of ``doctor``: what it says of files, and whether it agrees with itself.

Only reads; any thread; raises JournalUnavailable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, and_, cast, func, inspect, select, tuple_

from shared.events import (
    ORIGINAL,
    SnapshotAnalyzed,
    SnapshotArchived,
    SnapshotSkipped,
    SnapshotTaken,
)
from shared.journal.database import Database
from shared.journal.queries.unfinished import Unfinished
from shared.journal.schema import analyses, events, filings, service_status, snapshots, work

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Catalogued:
    """What the catalogue says of one snapshot's files; ``filed`` are archive and path of each
    unaltered copy, ``altered`` of each other one."""

    id: str
    sha256: str
    size: int
    filed: tuple[tuple[str, str], ...] = ()
    altered: tuple[tuple[str, str], ...] = ()


class Audit:
    """Questions about the whole of the journal."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.unfinished = Unfinished(database)

    def check_file(self) -> None:
        """Raise JournalUnavailable when the file of an SQLite journal is damaged, and let all else
        raise it from then on. Takes long when the file is large and the disk slow."""
        self._database.check_file()

    def count(self) -> int:
        """How many snapshots are catalogued."""
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).select_from(snapshots)).scalar_one()

    def catalogue(self) -> Iterator[Catalogued]:
        """All snapshots, oldest first, read page by page."""
        columns = [snapshots.c.id, snapshots.c.sha256, snapshots.c.size]
        last = ""
        while True:
            query = select(*columns).where(snapshots.c.id > last).order_by(snapshots.c.id)
            filed: dict[str, list[tuple[str, str]]] = defaultdict(list)
            altered: dict[str, list[tuple[str, str]]] = defaultdict(list)
            with self._database.reading() as connection:
                rows = connection.execute(query.limit(PAGE)).all()
                if not rows:
                    return
                of_them = filings.c.snapshot_id.between(rows[0].id, rows[-1].id)
                held = select(filings).where(of_them, filings.c.state == "archived")
                for row in connection.execute(held):
                    of_kind = filed if row.kind == ORIGINAL else altered
                    of_kind[row.snapshot_id].append((row.archive, row.path))
            for row in rows:
                copies = tuple(filed[row.id]), tuple(altered[row.id])
                yield Catalogued(row.id, row.sha256, row.size, *copies)
            last = rows[-1].id

    def missing_keys(self) -> list[tuple[str, str]]:
        """Tables and columns that must be unique and are not made so (I1, I7, I8, I9)."""
        wanted = (
            ("snapshots", ["organisation", "dedupe_key"]),
            ("events", ["id"]),
            ("work", ["service", "event_id"]),
            ("analyses", ["snapshot_id", "analyzer"]),
            ("filings", ["snapshot_id", "archive", "kind"]),
        )
        missing = []
        with self._database.reading() as connection:
            inspector = inspect(connection)
            for table, columns in wanted:
                found = [each["column_names"] for each in inspector.get_unique_constraints(table)]
                found.append(inspector.get_pk_constraint(table)["constrained_columns"])
                if columns not in found:
                    missing.append((table, ", ".join(columns)))
        return missing

    def keys_twice(self) -> list[str]:
        """Snapshots whose dedupe key another one has (I1)."""
        key = (snapshots.c.organisation, snapshots.c.dedupe_key)
        shared_keys = select(*key).group_by(*key).having(func.count() > 1)
        return self._ids(select(snapshots.c.id).where(tuple_(*key).in_(shared_keys)))

    def taken_twice(self) -> list[str]:
        """Snapshots that answer a request together with another (I12)."""
        taken = (events.c.topic == SnapshotTaken.topic) & events.c.cause.is_not(None)
        shared_causes = (
            select(events.c.cause).where(taken).group_by(events.c.cause).having(func.count() > 1)
        )
        return self._ids(
            select(events.c.snapshot_id).where(taken, events.c.cause.in_(shared_causes))
        )

    def holding(self, text: str) -> list[tuple[str, int]]:
        """In how many rows of which tables a text stands (I16)."""
        found = []
        with self._database.reading() as connection:
            for table, column in (
                ("events", events.c.data),
                ("events", events.c.subject),
                ("work", work.c.error),
                ("analyses", analyses.c.data),
                ("parts", service_status.c.about),
            ):
                where = cast(column, String).contains(text, autoescape=True)
                count = connection.execute(
                    select(func.count()).select_from(column.table).where(where)
                ).scalar_one()
                if count:
                    found.append((table, count))
        return found

    def without_taken(self) -> list[str]:
        """Snapshots whose ``snapshot.taken`` is missing (I4)."""
        return self._missing_event(SnapshotTaken.topic, snapshots.c.id.is_not(None))

    def without_row(self) -> list[str]:
        """Snapshots that events tell of but that are not catalogued (I4)."""
        query = (
            select(events.c.snapshot_id)
            .distinct()
            .outerjoin(snapshots, snapshots.c.id == events.c.snapshot_id)
            .where(events.c.topic == SnapshotTaken.topic, snapshots.c.id.is_(None))
        )
        return self._ids(query)

    def state_without_event(self) -> list[str]:
        """Snapshots in a state that no event brought them to (I10)."""
        found = []
        for state, topic in (
            ("analyzed", SnapshotAnalyzed.topic),
            ("archived", SnapshotArchived.topic),
            ("skipped", SnapshotSkipped.topic),
        ):
            found += self._missing_event(topic, snapshots.c.state == state)
        return found

    def analyzed_twice(self) -> list[str]:
        """Snapshots with more than one result of the same analyser and model (I7)."""
        return self._more_than_one(SnapshotAnalyzed.topic, "analyzer", "model")

    def analyzed_without_result(self) -> list[str]:
        """Snapshots that are analyzed, but by no analyser (I7)."""
        of_it = analyses.c.snapshot_id == snapshots.c.id
        query = select(snapshots.c.id).outerjoin(analyses, of_it)
        return self._ids(
            query.where(snapshots.c.state == "analyzed", analyses.c.analyzer.is_(None))
        )

    def archived_twice(self) -> list[str]:
        """Snapshots that the same archive said it holds more than once (I8, I9)."""
        return self._more_than_one(SnapshotArchived.topic, "archive", "kind")

    def _missing_event(self, topic: str, which: Any) -> list[str]:
        of_it = and_(events.c.snapshot_id == snapshots.c.id, events.c.topic == topic)
        query = select(snapshots.c.id).outerjoin(events, of_it).where(which, events.c.seq.is_(None))
        return self._ids(query)

    def _more_than_one(self, topic: str, *fields: str) -> list[str]:
        """Snapshots with several events of a topic whose data agree in these fields."""
        same = [events.c.data[field].as_string() for field in fields]
        query = (
            select(events.c.snapshot_id)
            .where(events.c.topic == topic)
            .group_by(events.c.snapshot_id, *same)
            .having(func.count() > 1)
        )
        return self._ids(query.distinct())

    def _ids(self, query: Any) -> list[str]:
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())
