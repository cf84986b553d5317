"""What the API and the page ask the journal. Only reads; any thread; raises JournalUnavailable."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, tuple_

from shared.journal.queries.events import Recorded
from shared.journal.queries.snapshot import Analysis as Analysis
from shared.journal.queries.snapshot import Snapshot as Snapshot
from shared.journal.queries.snapshot import whole
from shared.journal.queries.standing import Standing, dead_snapshots
from shared.journal.queries.view import EVERYTHING
from shared.journal.schema import (
    PEOPLE,
    events,
    labels,
    snapshots,
)


class Reader(Standing):
    """Reads the journal: lists here, sums in Standing, single cases in Cases."""

    def snapshots(
        self,
        *,
        camera: str = "",
        label: str = "",
        label_count: int = 1,
        persons: int | None = None,
        state: str = "",
        before: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
    ) -> list[Snapshot]:
        """The newest snapshots first: those that came last or, with ``since`` or ``until``, those
        that were captured last. ``before`` is the id where the last page ended. ``label_count`` and
        ``persons``: so many or more; 0 persons: where none was seen."""
        query = select(snapshots).where(self._seen(snapshots)).limit(limit)
        if camera:
            query = query.where(snapshots.c.camera == camera)
        if persons is not None:
            people = snapshots.c.person_count
            query = query.where(people >= persons, PEOPLE) if persons else query.where(people == 0)
        if state == "dead":
            query = query.where(snapshots.c.id.in_(dead_snapshots()))
        elif state:
            # Wrapped for a window, so that it is read by its own index: most have the same state.
            plain = func.coalesce(snapshots.c.state, "") if since or until else snapshots.c.state
            query = query.where(plain == state)
        if since or until:
            query = _captured(query, label, label_count, before, since, until)
        else:
            query = _came(query, label, label_count, before)
        with self._database.reading() as connection:
            return whole(connection, connection.execute(query).all())

    def snapshots_of(self, ids: Sequence[str]) -> dict[str, Snapshot]:
        """These snapshots by id, as far as they exist."""
        query = select(snapshots).where(snapshots.c.id.in_(ids), self._seen(snapshots))
        with self._database.reading() as connection:
            found = whole(connection, connection.execute(query).all())
        return {snapshot.id: snapshot for snapshot in found}

    def snapshot(self, snapshot_id: str) -> Snapshot | None:
        """One snapshot, or None."""
        return self.snapshots_of([snapshot_id]).get(snapshot_id)

    def events_after(self, seq: int, limit: int = 500, *, topic: str = "") -> list[Recorded]:
        """Events recorded after a place in the journal. Another process may still commit events
        with lower places for a moment: read again a little from before the last one."""
        query = select(events).where(events.c.seq > seq).order_by(events.c.seq).limit(limit)
        return self._recorded(query.where(events.c.topic == topic) if topic else query)

    def latest_events(
        self, limit: int, *, topic: str = "", subject: str = "", before: int = 0
    ) -> list[Recorded]:
        """The newest events first; ``before`` is a place in the journal."""
        query = select(events).order_by(events.c.seq.desc()).limit(limit)
        if topic:
            query = query.where(events.c.topic == topic)
        if subject:
            query = query.where(events.c.subject == subject)
        if before:
            query = query.where(events.c.seq < before)
        return self._recorded(query)

    def newest_seq(self) -> int:
        """The place of the last event; 0 when there is none."""
        with self._database.reading() as connection:
            newest = connection.execute(select(func.max(events.c.seq))).scalar()
        return int(newest or 0)

    def counts(self) -> dict[str, dict[str, int]]:
        """How many snapshots there are by camera and state."""
        columns = (snapshots.c.camera, snapshots.c.state)
        query = select(*columns, func.count()).where(self._seen(snapshots)).group_by(*columns)
        found: dict[str, dict[str, int]] = {}
        with self._database.reading() as connection:
            for camera, state, count in connection.execute(query):
                found.setdefault(camera, {})[state] = count
        return found

    def label_names(self) -> list[str]:
        """Every label ever seen, in alphabetical order."""
        query = select(labels.c.label).distinct().order_by(labels.c.label)
        if self._view != EVERYTHING:
            # For each label one look-up, which ends at its first snapshot that is seen.
            each, of_it = query.subquery(), labels.c.snapshot_id == snapshots.c.id
            one = select(snapshots.c.id).join(labels, of_it)
            one = one.where(labels.c.label == each.c.label, self._seen(snapshots))
            query = select(each.c.label).where(one.exists()).order_by(each.c.label)
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())


def _came(query: Select[Any], label: str, label_count: int, before: str) -> Select[Any]:
    """In the order of the index that finds the label, so that reading can stop at the limit."""
    place = snapshots.c.id
    if label:
        place = labels.c.snapshot_id
        query = query.join(labels, place == snapshots.c.id).where(labels.c.label == label)
        query = query.where(labels.c.count >= label_count)
    if before:
        query = query.where(place < before)
    return query.order_by(place.desc())


def _captured(
    query: Select[Any],
    label: str,
    label_count: int,
    before: str,
    since: datetime | None,
    until: datetime | None,
) -> Select[Any]:
    """In the order of the index by time, of which only the window is read."""
    when = snapshots.c.captured_at
    if since:
        query = query.where(when >= since)
    if until:
        query = query.where(when < until)
    if label:
        seen = select(labels.c.label).where(
            labels.c.label == label,
            labels.c.snapshot_id == snapshots.c.id,
            labels.c.count >= label_count,
        )
        query = query.where(seen.exists())
    if before:
        last = snapshots.alias()
        ended = select(last.c.captured_at).where(last.c.id == before).scalar_subquery()
        query = query.where(tuple_(when, snapshots.c.id) < tuple_(ended, before))
    return query.order_by(when.desc(), snapshots.c.id.desc())
