"""How events change the read model: in the transaction that records the event.

``snapshots.state`` only goes forward: taken → analyzed → archived | skipped, from skipped to
archived, and from anywhere before the end to quarantined. Events may come in any order, so each
rule checks the state it starts from. With several archives, archived means that at least one of
them holds the picture; ``filings`` tells each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, bindparam, func, literal, update

from shared.events import (
    Event,
    SnapshotAnalyzed,
    SnapshotArchived,
    SnapshotKept,
    SnapshotRefiled,
    SnapshotRejected,
    SnapshotSkipped,
)
from shared.journal import filed
from shared.journal.schema import analyses, filings, labels, snapshots
from shared.journal.statements import Prepared, insert_new, upsert

FINAL = ("archived", "skipped", "quarantined")


def _to(state: str, unless: Sequence[str]) -> Prepared:
    still = snapshots.c.state.not_in([literal(each) for each in unless])
    rows = (snapshots.c.id == bindparam("snapshot_id")) & still
    change = update(snapshots).where(rows).values(state=state)
    return Prepared(lambda _dialect: change)


_TO = {
    SnapshotAnalyzed.topic: _to("analyzed", unless=("analyzed", *FINAL)),
    SnapshotArchived.topic: _to("archived", unless=("quarantined",)),
    SnapshotSkipped.topic: _to("skipped", unless=FINAL),
    SnapshotRejected.topic: _to("quarantined", unless=FINAL),
}


def _more_people() -> Prepared:
    people = bindparam("people", type_=Integer)
    fewer = func.coalesce(snapshots.c.person_count, -1) < people
    row = snapshots.c.id == bindparam("snapshot_id")
    change = update(snapshots).where(row, fewer).values(person_count=people)
    return Prepared(lambda _dialect: change)


_MORE_PEOPLE = _more_people()


def apply(connection: Connection, event: Event) -> None:
    """Bring the read model up to this newly recorded event."""
    if event.snapshot_id is None:
        return
    if event.topic in _TO:
        _TO[event.topic].run(connection, {"snapshot_id": event.snapshot_id})
    match event.topic:
        case SnapshotAnalyzed.topic:
            _add_analysis(connection, event)
        case SnapshotArchived.topic:
            upsert(connection, filings, [filed.row(event)], where=filed.not_archived)
        case SnapshotSkipped.topic:
            insert_new(connection, filings, filed.row(event))
        case SnapshotRefiled.topic:
            filed.again(connection, event)
        case SnapshotKept.topic:
            filed.hold(connection, event)


def _surer(new: Any) -> ColumnElement[bool]:
    surer: ColumnElement[bool] = labels.c.confidence < new.confidence
    return surer


def _add_analysis(connection: Connection, event: Event) -> None:
    analyzer = filed.name(event, "analyzer", "detector")
    row = {"snapshot_id": event.snapshot_id, "analyzer": analyzer, "data": dict(event.data)}
    if not insert_new(connection, analyses, row):
        return
    if isinstance(people := event.data.get("person_count"), int):
        _MORE_PEOPLE.run(connection, {"snapshot_id": event.snapshot_id, "people": people})
    seen: dict[str, list[float]] = defaultdict(list)
    for detection in event.data.get("detections", ()):
        seen[detection["label"]].append(detection["confidence"])
    found = [
        {
            "snapshot_id": event.snapshot_id,
            "label": label,
            "count": len(confidences),
            "confidence": max(confidences),
        }
        for label, confidences in seen.items()
    ]
    upsert(connection, labels, found, where=_surer)
