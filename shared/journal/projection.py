"""How events change the read model: in the transaction that records the event.

``snapshots.state`` only goes forward: taken → analyzed → archived | skipped, from skipped to
archived, and from anywhere before the end to quarantined. Events may come in any order, so each
rule checks the state it starts from. With several archives, archived means that at least one of
them holds the picture; ``filings`` tells each.
"""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, update

from shared.events import (
    Event,
    SnapshotAnalyzed,
    SnapshotArchived,
    SnapshotRejected,
    SnapshotSkipped,
)
from shared.journal.database import insert_new, upsert
from shared.journal.schema import analyses, filings, labels, snapshots

NAME_CHARACTERS = 64
FINAL = ("archived", "skipped", "quarantined")


def apply(connection: Connection, event: Event) -> None:
    """Bring the read model up to this newly recorded event."""
    if event.snapshot_id is None:
        return
    of_it = update(snapshots).where(snapshots.c.id == event.snapshot_id)
    match event.topic:
        case SnapshotAnalyzed.topic:
            connection.execute(of_it.where(snapshots.c.state == "taken").values(state="analyzed"))
            _add_analysis(connection, event)
        case SnapshotArchived.topic:
            upsert(connection, filings, _filing(event), where=filings.c.state != "archived")
            open_ones = of_it.where(snapshots.c.state != "quarantined")
            connection.execute(open_ones.values(state="archived"))
        case SnapshotSkipped.topic:
            insert_new(connection, filings, _filing(event))
            open_ones = of_it.where(snapshots.c.state.not_in(FINAL))
            connection.execute(open_ones.values(state="skipped"))
        case SnapshotRejected.topic:
            open_ones = of_it.where(snapshots.c.state.not_in(FINAL))
            connection.execute(open_ones.values(state="quarantined"))


def _name(event: Event, field: str, default: str = "") -> str:
    """A name that fits its column; another program may have put the event on the bus."""
    return str(event.data.get(field, default))[:NAME_CHARACTERS]


def _filing(event: Event) -> dict[str, object]:
    return {
        "snapshot_id": event.snapshot_id,
        "archive": _name(event, "archive", "folder"),
        "state": event.topic.removeprefix("snapshot."),
        "path": str(event.data.get("path", "")),
        "policy": _name(event, "policy"),
    }


def _add_analysis(connection: Connection, event: Event) -> None:
    analyzer = _name(event, "analyzer", "detector")
    row = {"snapshot_id": event.snapshot_id, "analyzer": analyzer, "data": dict(event.data)}
    if not insert_new(connection, analyses, row):
        return
    seen: dict[str, list[float]] = defaultdict(list)
    for detection in event.data.get("detections", ()):
        seen[detection["label"]].append(detection["confidence"])
    for label, confidences in seen.items():
        surest = max(confidences)
        found = {
            "snapshot_id": event.snapshot_id,
            "label": label,
            "count": len(confidences),
            "confidence": surest,
        }
        upsert(connection, labels, found, where=labels.c.confidence < surest)
