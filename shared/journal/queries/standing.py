"""How the whole stands: what runs, what waits, how much there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, and_, case, func, select
from ulid import ULID

from shared.journal.queries.events import Cases
from shared.journal.queries.view import EVERYTHING
from shared.journal.schema import (
    PEOPLE,
    UNFINISHED,
    events,
    labels,
    service_status,
    snapshots,
    work,
)


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


@dataclass(frozen=True, slots=True)
class Counted:
    """How many snapshots of a camera were captured from a time on until the next one, in how many
    of them a human was seen, and in how many each label."""

    start: datetime
    camera: str
    snapshots: int
    humans: int
    labels: dict[str, int]


class Standing(Cases):
    """Sums over the journal."""

    def counted(
        self, bounds: Sequence[datetime], *, camera: str = "", label: str = ""
    ) -> list[Counted]:
        """The counts between each of these times and the next, where there are any; ``label``: of
        snapshots with that label only."""
        found = []
        with self._database.reading() as connection:
            for start, end in pairwise(bounds):
                when = snapshots.c.captured_at >= start, snapshots.c.captured_at < end
                of_it = and_(*when, self._seen(snapshots))
                if camera:
                    of_it = and_(of_it, snapshots.c.camera == camera)
                found += _counted(connection, start, of_it, label)
        return found

    def taken_since(self, door: str, since: datetime) -> dict[str, tuple[int, int]]:
        """Pictures and bytes by camera that came in by this door since then."""
        first = f"{str(ULID.from_datetime(since))[:10]:0<26}"  # ids begin with the time
        counted = func.count(), func.sum(snapshots.c.size)
        query = (
            select(snapshots.c.camera, *counted)
            .where(snapshots.c.id >= first, snapshots.c.door == door)
            .group_by(snapshots.c.camera)
        )
        with self._database.reading() as connection:
            return {camera: (count, int(size)) for camera, count, size in connection.execute(query)}

    def service_status(self) -> list[ServiceStatus]:
        """What the processes last said of their services."""
        query = select(service_status).order_by(service_status.c.service, service_status.c.instance)
        with self._database.reading() as connection:
            return [ServiceStatus(**row._mapping) for row in connection.execute(query)]

    def lag(self) -> Lag:
        """What waits and for how long: the journal's part of the health of the whole."""
        now = self._now()
        unpublished = select(func.count(), func.min(events.c.recorded_at)).where(
            events.c.published_at.is_(None), self._seen(events)
        )
        week_ago = now - timedelta(days=7)
        unfinished = select(func.count(), func.min(snapshots.c.received_at)).where(
            snapshots.c.state.in_(("taken", "analyzed")),
            snapshots.c.received_at > week_ago,
            snapshots.c.id.not_in(dead_snapshots()),
            self._seen(snapshots),
        )
        dead = select(func.count()).select_from(work).where(UNFINISHED, work.c.status == "dead")
        if self._view != EVERYTHING:
            dead = dead.join(events, events.c.id == work.c.event_id).where(self._seen(events))
        with self._database.reading() as connection:
            waiting, oldest_waiting = connection.execute(unpublished).one()
            open_count, oldest_open = connection.execute(unfinished).one()
            dead_count = connection.execute(dead).scalar_one()
        return Lag(
            waiting, _age(oldest_waiting, now), open_count, _age(oldest_open, now), dead_count
        )


def dead_snapshots() -> Any:
    """The ids of snapshots of which some work is dead."""
    of_dead_work = (events.c.id == work.c.event_id) & UNFINISHED & (work.c.status == "dead")
    return (
        select(events.c.snapshot_id)
        .join(work, of_dead_work)
        .where(events.c.snapshot_id.is_not(None))
    )


def _counted(
    connection: Connection, start: datetime, of_it: ColumnElement[bool], label: str
) -> list[Counted]:
    """Only the window is read: SQLite does not turn an outer join round to read all labels, nor
    take the index of cameras for a name that is wrapped."""
    name = func.coalesce(snapshots.c.camera, "", type_=String)
    has = labels.c.snapshot_id == snapshots.c.id
    if label:
        has = and_(has, labels.c.label == label)
    seen: dict[str, dict[str, int]] = {}
    columns = (name, labels.c.label)
    of_labels = select(*columns, func.count()).select_from(snapshots).outerjoin(labels, has)
    for camera, each, count in connection.execute(of_labels.where(of_it).group_by(*columns)):
        if each is not None:
            seen.setdefault(camera, {})[each] = count
    humans = func.coalesce(func.sum(case((PEOPLE, 1), else_=0)), 0)
    taken = select(name, func.count(), humans).where(of_it).group_by(name).order_by(name)
    if label:
        taken = taken.where(select(labels.c.label).where(has).exists())
    return [
        Counted(start, camera, count, int(people), seen.get(camera, {}))
        for camera, count, people in connection.execute(taken)
    ]


def _age(oldest: datetime | None, now: datetime) -> float:
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
