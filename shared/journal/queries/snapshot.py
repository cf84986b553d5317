"""A snapshot as it is read: its row, and what other tables hold of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from shared.events import ORIGINAL
from shared.journal.schema import UNFINISHED, analyses, events, filings, holds, work


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one analyser found in a snapshot; ``data`` is that of its ``snapshot.analyzed``."""

    analyzer: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filing:
    """What one archive did with a snapshot. ``state``: archived, at this path for people; or
    skipped, by this policy. ``sha256`` and ``size`` are those of the copy of this ``kind``."""

    archive: str
    state: str
    path: str = ""
    policy: str = ""
    kind: str = ORIGINAL
    link: str | None = None
    key: str | None = None
    sha256: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One row of the catalogue, with its analyses and filings in alphabetical order, originals
    first. ``dead`` names the services that gave up on it, ``holders`` who wants it to stay.
    ``person_count`` None: nobody counted."""

    id: str
    camera: str
    door: str
    name: str
    sha256: str
    size: int
    media_type: str
    captured_at: datetime
    captured_by: str
    received_at: datetime
    skew_s: float | None
    trigger: str
    state: str
    organisation: str
    person_count: int | None = None
    analyses: tuple[Analysis, ...] = ()
    filings: tuple[Filing, ...] = ()
    holders: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()


def _dead_services(connection: Any, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    query = (
        select(events.c.snapshot_id, work.c.service)
        .join(work, work.c.event_id == events.c.id)
        .where(events.c.snapshot_id.in_(ids), UNFINISHED, work.c.status == "dead")
    )
    found: dict[str, tuple[str, ...]] = {}
    for snapshot_id, service in connection.execute(query):
        found[snapshot_id] = (*found.get(snapshot_id, ()), service)
    return found


def whole(connection: Connection, rows: Sequence[Row[Any]]) -> list[Snapshot]:
    """Snapshots with what other tables hold of them."""
    ids = [row.id for row in rows]
    analyzed: dict[str, list[Analysis]] = defaultdict(list)
    query = select(analyses).where(analyses.c.snapshot_id.in_(ids))
    for row in connection.execute(query.order_by(analyses.c.analyzer)):
        analyzed[row.snapshot_id].append(Analysis(row.analyzer, row.data))
    filed: dict[str, list[Filing]] = defaultdict(list)
    query = select(filings).where(filings.c.snapshot_id.in_(ids))
    order = (filings.c.archive, filings.c.kind != ORIGINAL, filings.c.kind)
    for row in connection.execute(query.order_by(*order)):
        values = {name: getattr(row, name) for name in Filing.__slots__}
        filed[row.snapshot_id].append(Filing(**values))
    held: dict[str, list[str]] = defaultdict(list)
    query = select(holds).where(holds.c.snapshot_id.in_(ids)).order_by(holds.c.holder)
    for snapshot_id, holder in connection.execute(query):
        held[snapshot_id].append(holder)
    dead = _dead_services(connection, ids)
    return [
        Snapshot(
            **{name: value for name, value in row._mapping.items() if name in Snapshot.__slots__},
            analyses=tuple(analyzed[row.id]),
            filings=tuple(filed[row.id]),
            holders=tuple(held[row.id]),
            dead=dead.get(row.id, ()),
        )
        for row in rows
    ]
