"""What tests of the journal write into it, and how they look at it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from shared.events import Event, SnapshotArchived, SnapshotRejected, SnapshotSkipped
from shared.journal import Journal
from tests.support.making import START, taken


def catalogue(journal: Journal, number: int = 0, key: str = "", **options: Any) -> Event:
    """Record a snapshot that was not known; its ``snapshot.taken``."""
    taken_event = taken(number, **options)
    key = key or f"key {number}"
    assert journal.record_snapshot(taken_event, [key], repeats_since=START) == (
        taken_event.snapshot_id,
        False,
    )
    return taken_event


def state(journal: Journal, happened: Event) -> str:
    """The state of the snapshot that an event is about."""
    snapshot = journal.read.snapshot(happened.snapshot_id or "")
    return snapshot.state if snapshot else "none"


def archived(cause: Event) -> Event:
    """The ``snapshot.archived`` that follows an event."""
    data = SnapshotArchived(camera="porch", archive="folder", path="a", sha256="b" * 64, size=1)
    return data.event(subject="porch", cause=cause)


def skipped(cause: Event) -> Event:
    """The ``snapshot.skipped`` that follows an event."""
    return SnapshotSkipped(camera="porch", policy="people").event(subject="porch", cause=cause)


def rejected(cause: Event) -> Event:
    """The ``snapshot.rejected`` that follows an event."""
    return SnapshotRejected(camera="porch", reason="cut").event(subject="porch", cause=cause)


def in_threads(count: int, call: Callable[[int], object]) -> None:
    """Call it with 0, 1, 2 …, each in a thread of its own; returns when all are done."""
    threads = [
        threading.Thread(target=call, args=(number,), daemon=True) for number in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
