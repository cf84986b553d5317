"""Workers: what becomes of work that fails, and of answers that can't be kept."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial

import pytest

from shared.envelope import MAX_BYTES
from shared.errors import (
    JournalUnavailable,
    Reject,
    Retry,
    SnapshotMissing,
    StoreMissing,
)
from shared.events import Event, SnapshotArchived, now
from shared.journal import Attempt
from shared.settings.runtime import WorkSection
from tests.support.fakes import eventually
from tests.support.rig import EVENT, OTHER, Rig, skipped


def test_a_failed_event_shares_its_fate_with_its_second_delivery(rig: Rig):
    leave = threading.Event()

    def fails(event: Event) -> Sequence[Event]:
        assert leave.wait(10)
        raise Retry("later")

    rig.handler = fails
    rig.give(EVENT, EVENT)
    eventually(lambda: rig.seen)
    leave.set()
    eventually(lambda: rig.status() == "retry")
    eventually(rig.is_idle)


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (Retry("camera busy"), "retry", "camera busy"),
        (Reject("no such camera"), "dead", "no such camera"),
        (StoreMissing("volume away"), "retry", "volume away"),
        (SnapshotMissing("file away"), "retry", "file away"),
        (JournalUnavailable("journal away"), "retry", "journal away"),
        (ZeroDivisionError("oops"), "retry", "ZeroDivisionError: oops"),
        (ValueError("nul \x00 and half \ud800"), "retry", "ValueError: nul \ufffd and half ?"),
    ],
)
@pytest.mark.usefixtures("unlogged")
def test_what_a_handler_raises_is_kept_with_the_work(rig: Rig, error, status: str, says: str):
    def fails(_event: Event) -> Sequence[Event]:
        raise error

    rig.handler = fails
    rig.give(EVENT)
    eventually(lambda: rig.status() == status)
    assert rig.error() == says
    assert rig.outcome(status) == 1
    assert rig.outcome("done") == 0
    rig.handler = skipped
    rig.give(OTHER)
    eventually(lambda: rig.status(OTHER) == "done")


@pytest.mark.promise("feat C24")
@pytest.mark.parametrize(("error", "most"), [(Retry("busy"), 3), (KeyError("bug"), 2)])
def test_after_its_attempts_work_is_dead_and_can_be_replayed(rig: Rig, error, most: int):
    def fails(_event: Event) -> Sequence[Event]:
        raise error

    rig.handler = fails
    for number in range(1, most + 1):
        rig.give(EVENT)
        status = "dead" if number == most else "retry"
        eventually(partial(rig.reached, number, status))
        eventually(rig.is_idle)
    rig.give(EVENT)
    eventually(lambda: rig.outcome("repeated") == 1)
    assert len(rig.seen) == most
    rig.handler = skipped
    assert rig.journal.recovery.replay(event_id=EVENT.id) == 1
    rig.give(EVENT)
    eventually(lambda: rig.status() == "done")


@pytest.mark.promise("fault D4")
def test_what_is_no_event_of_ours_harms_nobody(rig: Rig):
    unknown = Event(id="1", topic="snapshot.analyzed", subject="a", time=EVENT.time, data={"b": 1})
    rig.journal.append([unknown])
    end = rig.relay.end()
    end.send(b"publish", b"x", b"snapshot.analyzed", b"", b"\xff not an event")
    rig.give(unknown)
    rig.give(EVENT)
    eventually(lambda: rig.status() == "done")
    eventually(lambda: rig.broker.dead_letters == [b"\xff not an event"])
    eventually(lambda: rig.status(unknown) == "dead")
    assert "the data is not that of snapshot.analyzed" in rig.error()
    assert rig.seen == [EVENT.id]


def test_an_answer_that_fits_no_message_is_dead_not_lost_on_the_way(rig: Rig):
    def long(event: Event) -> Sequence[Event]:
        data = SnapshotArchived(
            camera="porch", archive="folder", path="x" * MAX_BYTES, sha256="0" * 64, size=1
        )
        return [data.event(subject="porch", cause=event)]

    rig.handler = long
    rig.give(EVENT)
    eventually(lambda: rig.status() == "dead")
    assert "at most" in rig.error()


@pytest.mark.usefixtures("unlogged")
def test_an_answer_that_no_database_takes_is_a_failure_of_the_handler(rig: Rig):
    def odd(event: Event) -> Sequence[Event]:
        data = SnapshotArchived(camera="a", archive="x", path="y", sha256="0" * 64, size=1)
        return [data.event(subject="\ud800", cause=event)]

    rig.handler = odd
    rig.give(EVENT)
    eventually(lambda: rig.status() == "retry")
    rig.handler = skipped
    rig.give(OTHER)
    eventually(lambda: rig.status(OTHER) == "done")


@pytest.mark.parametrize(("attempts", "longest"), [(1, 5), (2, 10), (3, 20), (4, 40), (9, 60)])
def test_the_next_try_is_due_later_after_each_failure(rig: Rig, attempts: int, longest: float):
    worker = rig.workers[0]
    worker._policy = WorkSection(retries=20, first_retry_s=5, longest_retry_s=60)
    rig.journal.begin("drive", EVENT, redelivered=False)
    began = now()

    attempt = Attempt(False, attempts)
    worker._failure(EVENT, attempt, Retry("the archive is away"))()

    (item,) = rig.journal.recovery.items()
    assert item.next_attempt_at is not None
    assert longest / 2 <= (item.next_attempt_at - began).total_seconds() <= longest + 5
