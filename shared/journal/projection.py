"""How events change the read model ``snapshots``: in the transaction that records the event.

States only go forward: taken → analyzed → archived | skipped, and from anywhere before the end to
quarantined. Events may come in any order, so each rule checks the state it starts from.
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
from shared.journal.database import insert_new
from shared.journal.schema import labels, snapshots

FINAL = ("archived", "skipped", "quarantined")


def apply(connection: Connection, event: Event) -> None:
    """Bring the read model up to this newly recorded event."""
    if event.snapshot_id is None:
        return
    of_it = update(snapshots).where(snapshots.c.id == event.snapshot_id)
    match event.topic:
        case SnapshotAnalyzed.topic:
            connection.execute(of_it.values(analysis=dict(event.data)))
            connection.execute(of_it.where(snapshots.c.state == "taken").values(state="analyzed"))
            _apply_labels(connection, event)
        case SnapshotArchived.topic:
            changes = {"state": "archived", "archive": dict(event.data)}
            connection.execute(of_it.where(snapshots.c.state != "quarantined").values(**changes))
        case SnapshotSkipped.topic:
            changes = {"state": "skipped", "archive": dict(event.data)}
            connection.execute(of_it.where(snapshots.c.state.not_in(FINAL)).values(**changes))
        case SnapshotRejected.topic:
            open_ones = of_it.where(snapshots.c.state.not_in(FINAL))
            connection.execute(open_ones.values(state="quarantined"))


def _apply_labels(connection: Connection, event: Event) -> None:
    seen: dict[str, list[float]] = defaultdict(list)
    for detection in event.data.get("detections", ()):
        seen[detection["label"]].append(detection["confidence"])
    for label, confidences in seen.items():
        row = {
            "snapshot_id": event.snapshot_id,
            "label": label,
            "count": len(confidences),
            "confidence": max(confidences),
        }
        insert_new(connection, labels, row)
