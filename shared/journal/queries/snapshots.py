"""What the API and the page ask the journal. Only reads; any thread; raises JournalUnavailable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from shared.journal.queries.events import Cases, Recorded
from shared.journal.schema import (
    UNFINISHED,
    analyses,
    events,
    filings,
    labels,
    service_status,
    snapshots,
    work,
)


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one analyser found in a snapshot; ``data`` is that of its ``snapshot.analyzed``."""

    analyzer: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filing:
    """What one archive did with a snapshot. ``state``: archived, at this path for people; or
    skipped, by this policy."""

    archive: str
    state: str
    path: str = ""
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One row of the catalogue, with its analyses and filings in alphabetical order. ``dead``
    names the services that gave up on it."""

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
    state: str
    organisation: str
    analyses: tuple[Analysis, ...] = ()
    filings: tuple[Filing, ...] = ()
    dead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """What a process last said of a service."""

    service: str
    instance: str
    started_at: datetime
    seen_at: datetime
    about: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lag:
    """What is stuck, if anything: ages in seconds, 0 when there is none."""

    unpublished: int
    oldest_unpublished_s: float
    unfinished: int
    oldest_unfinished_s: float
    dead: int


class Reader(Cases):
    """Reads the journal: lists and sums here, single cases in Cases."""

    def snapshots(
        self,
        *,
        camera: str = "",
        label: str = "",
        state: str = "",
        before: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
    ) -> list[Snapshot]:
        """The newest snapshots first; ``before`` is the id where the last page ended."""
        query = select(snapshots).limit(limit)
        # In the order of the index that finds the label, so that reading can stop at the limit.
        place = labels.c.snapshot_id if label else snapshots.c.id
        query = query.order_by(place.desc())
        if camera:
            query = query.where(snapshots.c.camera == camera)
        if label:
            with_label = labels.c.snapshot_id == snapshots.c.id
            query = query.join(labels, with_label).where(labels.c.label == label)
        if state == "dead":
            query = query.where(snapshots.c.id.in_(_dead_snapshots()))
        elif state:
            query = query.where(snapshots.c.state == state)
        if before:
            query = query.where(place < before)
        if since:
            query = query.where(snapshots.c.captured_at >= since)
        if until:
            query = query.where(snapshots.c.captured_at < until)
        with self._database.reading() as connection:
            return _whole(connection, connection.execute(query).all())

    def snapshots_of(self, ids: Sequence[str]) -> dict[str, Snapshot]:
        """These snapshots by id, as far as they exist."""
        query = select(snapshots).where(snapshots.c.id.in_(ids))
        with self._database.reading() as connection:
            found = _whole(connection, connection.execute(query).all())
        return {snapshot.id: snapshot for snapshot in found}

    def snapshot(self, snapshot_id: str) -> Snapshot | None:
        """One snapshot, or None."""
        return self.snapshots_of([snapshot_id]).get(snapshot_id)

    def events_after(self, seq: int, limit: int = 500) -> list[Recorded]:
        """Events recorded after a place in the journal. Another process may still commit events
        with lower places for a moment: read again a little from before the last one."""
        query = select(events).where(events.c.seq > seq).order_by(events.c.seq).limit(limit)
        return self._recorded(query)

    def latest_events(self, limit: int, *, topic: str = "", subject: str = "") -> list[Recorded]:
        """The newest events first."""
        query = select(events).order_by(events.c.seq.desc()).limit(limit)
        if topic:
            query = query.where(events.c.topic == topic)
        if subject:
            query = query.where(events.c.subject == subject)
        return self._recorded(query)

    def newest_seq(self) -> int:
        """The place of the last event; 0 when there is none."""
        with self._database.reading() as connection:
            newest = connection.execute(select(func.max(events.c.seq))).scalar()
        return int(newest or 0)

    def counts(self) -> dict[str, dict[str, int]]:
        """How many snapshots there are by camera and state."""
        query = select(snapshots.c.camera, snapshots.c.state, func.count()).group_by(
            snapshots.c.camera, snapshots.c.state
        )
        found: dict[str, dict[str, int]] = {}
        with self._database.reading() as connection:
            for camera, state, count in connection.execute(query):
                found.setdefault(camera, {})[state] = count
        return found

    def label_names(self) -> list[str]:
        """Every label ever seen, in alphabetical order."""
        with self._database.reading() as connection:
            query = select(labels.c.label).distinct().order_by(labels.c.label)
            return list(connection.execute(query).scalars())

    def service_status(self) -> list[ServiceStatus]:
        """What the processes last said of their services."""
        query = select(service_status).order_by(service_status.c.service, service_status.c.instance)
        with self._database.reading() as connection:
            return [ServiceStatus(**row._mapping) for row in connection.execute(query)]

    def lag(self) -> Lag:
        """What waits and for how long: the journal's part of the health of the whole."""
        now = self._now()
        unpublished = select(func.count(), func.min(events.c.recorded_at)).where(
            events.c.published_at.is_(None)
        )
        week_ago = now - timedelta(days=7)
        unfinished = select(func.count(), func.min(snapshots.c.received_at)).where(
            snapshots.c.state.in_(("taken", "analyzed")),
            snapshots.c.received_at > week_ago,
            snapshots.c.id.not_in(_dead_snapshots()),
        )
        dead = select(func.count()).where(UNFINISHED, work.c.status == "dead")
        with self._database.reading() as connection:
            waiting, oldest_waiting = connection.execute(unpublished).one()
            open_count, oldest_open = connection.execute(unfinished).one()
            dead_count = connection.execute(dead).scalar_one()
        return Lag(
            waiting, _age(oldest_waiting, now), open_count, _age(oldest_open, now), dead_count
        )


def _dead_snapshots() -> Any:
    """The ids of snapshots of which some work is dead."""
    of_dead_work = (events.c.id == work.c.event_id) & UNFINISHED & (work.c.status == "dead")
    return (
        select(events.c.snapshot_id)
        .join(work, of_dead_work)
        .where(events.c.snapshot_id.is_not(None))
    )


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


def _whole(connection: Connection, rows: Sequence[Row[Any]]) -> list[Snapshot]:
    """Snapshots with what other tables hold of them."""
    ids = [row.id for row in rows]
    analyzed: dict[str, list[Analysis]] = defaultdict(list)
    query = select(analyses).where(analyses.c.snapshot_id.in_(ids))
    for row in connection.execute(query.order_by(analyses.c.analyzer)):
        analyzed[row.snapshot_id].append(Analysis(row.analyzer, row.data))
    filed: dict[str, list[Filing]] = defaultdict(list)
    query = select(filings).where(filings.c.snapshot_id.in_(ids))
    for row in connection.execute(query.order_by(filings.c.archive)):
        filed[row.snapshot_id].append(Filing(row.archive, row.state, row.path, row.policy))
    dead = _dead_services(connection, ids)
    return [
        Snapshot(
            **{name: value for name, value in row._mapping.items() if name in Snapshot.__slots__},
            analyses=tuple(analyzed[row.id]),
            filings=tuple(filed[row.id]),
            dead=dead.get(row.id, ()),
        )
        for row in rows
    ]


def _age(oldest: datetime | None, now: datetime) -> float:
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
