"""Workers: an event that was at work when its process ended is counted, and tried alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from shared.events import Event
from shared.journal import Attempt
from shared.settings.runtime import WorkSection
from tests.support.fakes import eventually
from tests.support.making import sqlite_journal
from tests.support.rig import EVENT, OTHER, Rig, skipped


@pytest.mark.promise("fault D3")
def test_an_event_that_ends_its_process_again_and_again_is_dead(tmp_path: Path, hurried: None):
    journal = sqlite_journal(tmp_path / "journal.db")
    journal.append([EVENT])
    # What a crash leaves behind: begun, and neither finished nor failed.
    for attempt in (1, 2):
        begun = journal.begin("drive", EVENT, redelivered=True)
        assert begun == Attempt(False, attempt, unended=attempt > 1)
    journal.close()
    rig = Rig(tmp_path)
    rig.start()
    try:
        rig.give(EVENT, queue="drive")
        eventually(lambda: rig.status() == "dead")
        assert rig.seen == []
        assert "the process ended each time" in rig.error()
    finally:
        rig.close()


@pytest.mark.promise("fault D3")
def test_an_event_that_was_near_when_processes_ended_comes_later_not_never(rig: Rig):
    rig.workers[0]._policy = rig.workers[1]._policy = WorkSection()
    for _ in range(2):
        rig.journal.begin("drive", EVENT, redelivered=True)
    rig.give(EVENT, queue="drive")
    eventually(lambda: rig.status() == "retry")
    assert rig.seen == []
    eventually(rig.is_idle)
    rig.give(EVENT, queue="drive")
    eventually(lambda: rig.status() == "done")


@pytest.mark.promise("fault D3")
def test_suspects_are_handled_one_at_a_time_and_only_the_one_at_work_is_counted(rig: Rig):
    for event in (EVENT, OTHER):
        rig.journal.begin("drive", event, redelivered=True)
    leave = threading.Event()

    def slow(event: Event) -> Sequence[Event]:
        assert leave.wait(10)
        return skipped(event)

    rig.handler = slow
    rig.give(EVENT, OTHER, queue="drive")
    eventually(lambda: rig.seen and len(rig.bus._handed_out) == 2)
    assert not leave.wait(0.3)  # long enough to begin what must not be begun
    attempts = sorted(item.attempts for item in rig.journal.recovery.items())
    assert attempts == [1, 2]
    assert len(rig.seen) == 1
    leave.set()
    eventually(lambda: rig.status() == rig.status(OTHER) == "done")
