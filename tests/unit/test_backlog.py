"""After an outage a long backlog comes at once, in any order and partly twice: all is done once."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from services.scheduler import reconciler as reconcilers
from services.scheduler.reconciler import Reconciler
from shared.events import Event, now
from shared.service import Context
from shared.settings import Settings
from shared.settings.directory import CameraDirectory
from shared.store import Store
from tests.support.fakes import eventually
from tests.support.making import analyzed, taken
from tests.support.rig import Rig

BATCH = 100
EVENTS = 2 * BATCH + 40
"""More than two rounds of the reconciler. Ten thousand take a minute, and showed the same."""


@pytest.fixture
def rig(tmp_path: Path, hurried: None) -> Iterator[Rig]:
    rig = Rig(tmp_path, workers=8)
    with closing(rig):
        rig.journal.subscribe("drive", ["snapshot.analyzed"])
        rig.journal.report("drive", now(), {})
        yield rig


CHANCE = random.Random(20261120)


def shuffled(events: Sequence[Event]) -> list[Event]:
    """In no order, and some of them twice."""
    return CHANCE.sample([*events, *events[::7]], k=len(events) + len(events[::7]))


@pytest.mark.promise("fault D5", "inv I6", "inv I8")
def test_a_long_backlog_is_worked_through_and_everything_is_done_once(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reconcilers, "BATCH", BATCH)
    monkeypatch.setattr(reconcilers, "UNPUBLISHED_S", 0.3)
    backlog = [analyzed(taken(number), "cat") for number in range(EVENTS)]
    rig.journal.append(backlog)
    half = [event.id for event in backlog[::2]]
    rig.journal.mark_published(half)  # by a broker that is not the one of today
    store = Store(tmp_path / "store")
    store.create()
    context = Context(
        Settings.model_validate({"data": tmp_path, "scheduler": {"reconcile_s": 0.1}}),
        store,
        rig.journal,
        cast(Any, None),
        lambda events: rig.give(*shuffled(events)),
        lambda service, events: rig.give(*shuffled(events), queue=service),
        CameraDirectory({}),
    )
    stop = threading.Event()
    reconciler = Reconciler(context, at_once=True)
    thread = threading.Thread(target=reconciler.run, args=(stop,), daemon=True)
    rig.start()
    thread.start()

    eventually(lambda: rig.outcome("done") >= EVENTS, timeout=90)
    eventually(rig.is_idle, timeout=30)
    eventually(lambda: not rig.journal.recovery.unpublished(now(), 1), timeout=30)
    stop.set()
    thread.join(10)

    assert sorted(rig.seen) == sorted(event.id for event in backlog)
    assert rig.journal.recovery.forgotten(now(), 10) == []
    assert rig.journal.recovery.items() == []
    said = rig.journal.read.latest_events(10_000, topic="snapshot.skipped")
    assert len(said) == EVENTS
