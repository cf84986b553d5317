"""Workers: what waits for the journal, for a peer that is away, or for what came before it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from shared.errors import (
    JournalUnavailable,
    Retry,
    Unreachable,
)
from shared.events import Event, SnapshotAnalyzed, now
from shared.runtime.in_flight import InFlight
from tests.support.fakes import eventually
from tests.support.rig import EVENT, OTHER, Rig, skipped


@pytest.mark.promise("fault B2")
def test_a_worker_waits_for_the_journal_with_its_result(rig: Rig, monkeypatch):
    monkeypatch.setattr("shared.runtime.worker.JOURNAL_RETRY_S", 0.02)
    finish, failures = rig.journal.finish, [JournalUnavailable("away")] * 3

    def flaky(*args, **options):
        if failures:
            raise failures.pop()
        return finish(*args, **options)

    monkeypatch.setattr(rig.journal, "finish", flaky)
    rig.give(EVENT)
    eventually(lambda: rig.status() == "done")
    assert rig.seen == [EVENT.id]


def test_a_worker_that_stops_without_the_journal_settles_nothing(rig: Rig, monkeypatch):
    def away(*args, **options):
        raise JournalUnavailable("away")

    monkeypatch.setattr(rig.journal, "finish", away)
    rig.give(EVENT)
    eventually(lambda: rig.seen)
    rig.stop.set()
    for worker in rig.workers:
        worker.join(5)
    assert len(rig.broker._queues["drive"].unacknowledged) == 1


@pytest.mark.promise("feat A15")
def test_work_that_waits_for_a_peer_never_dies_and_all_of_it_goes_on_when_it_is_back(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("shared.runtime.failure.PROBE_S", 0.01)
    away = True

    def handler(event: Event) -> Sequence[Event]:
        if away:
            raise Unreachable("archive nas", "archive folder /nas: Host is down")
        return skipped(event)

    def tried(count: int) -> bool:
        return len(rig.seen) > count and rig.is_idle()

    rig.handler = handler
    for count in range(3 * rig.policy.retries):
        rig.give(EVENT, queue="drive")
        eventually(partial(tried, count))
    rig.give(OTHER)
    eventually(lambda: rig.status(OTHER) == "retry" and rig.is_idle())
    items = {item.event.id: item for item in rig.journal.recovery.items()}
    probe, parked = items[EVENT.id], items[OTHER.id]
    assert (probe.status, probe.attempts, probe.error[:14]) == ("retry", 0, "archive folder")
    assert parked.next_attempt_at and probe.next_attempt_at
    assert parked.next_attempt_at > probe.next_attempt_at + timedelta(minutes=30)

    away = False
    rig.give(EVENT, queue="drive")
    eventually(lambda: rig.status() == "done")
    eventually(lambda: [owed.event.id for owed in rig.journal.recovery.due(10)] == [OTHER.id])


def of_one_camera(number: int) -> Event:
    data = SnapshotAnalyzed(camera="porch", analyzed=False)
    return data.event(subject="porch", cause=f"cause {number}")


def test_an_ordered_service_handles_the_events_of_a_camera_one_after_the_other(
    tmp_path: Path, hurried: None
):
    rig = Rig(tmp_path, workers=3)
    rig.service = replace(rig.service, ordered=True)
    in_flight = InFlight()
    rig.workers = [rig.worker(number, in_flight) for number in range(3)]
    rig.journal.subscribe("drive", ["snapshot.analyzed"])
    happened = [of_one_camera(number) for number in range(8)]
    rig.journal.append(happened)
    ends: list[str] = []
    failed: list[str] = []

    def handler(event: Event) -> Sequence[Event]:
        if event.id == happened[2].id and not failed:
            failed.append(event.id)
            raise Retry("not yet", after_s=0.01)
        ends.append(event.id)
        return ()

    rig.handler = handler
    rig.start()
    try:
        rig.give(*reversed(happened[1:]))
        eventually(lambda: all(rig.status(event) == "retry" for event in happened[1:]))
        rig.give(happened[0], queue="drive")
        eventually(lambda: "not yet" in [item.error for item in rig.journal.recovery.items()])
        rig.give(happened[2], queue="drive")
        eventually(lambda: all(rig.status(event) == "done" for event in happened), timeout=30)
    finally:
        rig.close()

    assert ends == [event.id for event in happened]


def test_threads_that_have_nothing_to_do_sleep_until_they_are_told(rig: Rig):
    rig.give(EVENT, OTHER)
    eventually(lambda: not rig.journal.recovery.unpublished(now() + timedelta(1), 9))
    eventually(lambda: len(rig.seen) == 2 and rig.is_idle())

    def asleep() -> bool:
        before = [woken(each) for each in (rig.outbox, *rig.workers)]
        threading.Event().wait(0.6)  # long enough for one who looks from time to time
        return [woken(each) for each in (rig.outbox, *rig.workers)] == before

    eventually(asleep)  # not at once: the last news may still be on its way


def woken(thread: threading.Thread) -> int:
    """How often it went to sleep."""
    status = Path(f"/proc/self/task/{thread.native_id}/status").read_text("ascii")
    return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
