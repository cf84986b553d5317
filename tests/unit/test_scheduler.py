"""The scheduler: one request per camera and slot; and everything owed is carried through."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.scheduler.app import build
from services.scheduler.interval import Intervals, request
from services.scheduler.janitor import Janitor
from services.scheduler.reconciler import BATCH, Reconciler
from shared.envelope import REPEATED
from shared.errors import BrokerUnavailable, JournalUnavailable
from shared.events import Event, SnapshotRequested, now
from tests.support.fakes import eventually
from tests.support.making import Clock, Core, analyzed, core, picture, taken

GATE = {"cameras": {"gate": {"fetch": {"url": "http://192.0.2.1/", "every_s": 10}}}}
PORCH = {"fetch": {"url": "http://192.0.2.2/", "every_s": 60}}


@pytest.fixture
def clock() -> Clock:
    return Clock(now())


@pytest.fixture
def here(tmp_path: Path, clock: Clock) -> Iterator[Core]:
    here = core(tmp_path, GATE, clock)
    here.journal.subscribe("detector", ["snapshot.taken"])
    here.journal.report("detector", clock(), {})
    yield here
    here.journal.close()


def requests(here: Core) -> list[Event]:
    found = here.journal.read.latest_events(1000, topic="snapshot.requested")
    return [each.event for each in reversed(found)]


@pytest.mark.promise("feat G12", "feat A13")
@pytest.mark.promise("inv I12", "fault S1")
def test_any_number_of_schedulers_ask_once_per_slot(here: Core):
    clock = Clock(datetime(2026, 3, 1, 12, 0, 3, tzinfo=UTC))
    for _ in range(3):
        Intervals(here.parts, clock).ask()
        again = Intervals(here.parts, clock)
        again.ask()
        again.ask()
        clock.forward(10)
    assert [event.time.second for event in requests(here)] == [0, 10, 20]
    assert here.told == requests(here) or len(here.told) == 3


@pytest.mark.promise("fault S1")
def test_slots_that_were_missed_are_not_made_up_for(here: Core):
    clock = Clock(datetime(2026, 3, 1, 12, 0, 3, tzinfo=UTC))
    intervals = Intervals(here.parts, clock)
    intervals.ask()
    clock.forward(3600)
    intervals.ask()
    assert len(requests(here)) == 2


@pytest.mark.promise("fault S2")
def test_a_clock_that_jumps_makes_no_burst_and_no_stall(here: Core):
    clock = Clock(datetime(2026, 3, 1, 12, 0, 3, tzinfo=UTC))
    intervals = Intervals(here.parts, clock)
    intervals.ask()
    clock.forward(-3600)
    assert 0 < intervals.ask() <= 1
    clock.forward(3600)
    intervals.ask()  # the slot of the beginning, asked for already
    clock.forward(10)
    intervals.ask()
    assert len(requests(here)) == 3


NOON = datetime(2026, 3, 1, 12, 0, 3, tzinfo=UTC)


def ask_each_slot(here: Core, clock: Clock, slots: int, schedulers: int = 2) -> list[Event]:
    """Let several schedulers, each begun anew, go through the next slots; what they asked."""
    before = len(requests(here))
    several = [Intervals(here.parts, clock) for _ in range(schedulers)]
    for _ in range(slots):
        for each in several:
            each.ask()
        clock.forward(10)
    return requests(here)[before:]


@pytest.mark.promise("fault S2", "inv I12")
def test_a_clock_that_is_put_back_lets_nobody_wait_until_it_has_caught_up(here: Core):
    clock = Clock(NOON)
    assert len(ask_each_slot(here, clock, 60)) == 60
    for back_s, slots in ((500, 30), (300, 20)):  # the second time through the same slots again
        clock.forward(-back_s)
        begins = clock() - timedelta(seconds=3)
        times = [event.time for event in ask_each_slot(here, clock, slots)]
        assert times == [begins + timedelta(seconds=10 * number) for number in range(slots)]


@pytest.mark.promise("fault S2", "inv I12")
def test_a_slot_that_was_asked_for_is_not_asked_again_for_what_came_after_it(here: Core):
    clock = Clock(NOON)
    assert len(ask_each_slot(here, clock, 3)) == 3
    clock.forward(-10)
    by_hand = SnapshotRequested(camera="gate", reason="manual", requested_by="page")
    here.parts.record([by_hand.event(subject="gate", cause="hand", time=clock())])
    clock.forward(-10)  # a little wrong, as clocks of two machines are

    assert ask_each_slot(here, clock, 2) == []
    assert len(ask_each_slot(here, clock, 1)) == 1


@pytest.mark.promise("feat A13")
@pytest.mark.promise("fault S2")
@pytest.mark.parametrize("hour", ["2026-03-29T00:58", "2026-10-25T00:58"])
def test_when_summer_time_begins_or_ends_every_slot_is_asked_once(
    here: Core, monkeypatch: pytest.MonkeyPatch, hour: str
):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        clock = Clock(datetime.fromisoformat(hour).replace(tzinfo=UTC))
        assert len(ask_each_slot(here, clock, 30)) == 30
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.promise("feat G3")
def test_it_sleeps_until_the_next_slot_but_no_longer_than_a_second(here: Core):
    clock = Clock(datetime(2026, 3, 1, 12, 0, 9, 900_000, tzinfo=UTC))
    assert Intervals(here.parts, clock).ask() == pytest.approx(0.1, abs=0.01)
    clock.forward(10)
    assert Intervals(here.parts, clock).ask() == pytest.approx(0.1, abs=0.01)
    clock.forward(1)  # nine seconds before the next one
    assert Intervals(here.parts, clock).ask() == 1.0


def test_a_request_says_who_asks_and_when_nobody_wants_it_any_more():
    event = request("gate", 100, 60.0)
    data = SnapshotRequested.model_validate(event.data)
    assert (data.reason, data.requested_by) == ("interval", "scheduler")
    assert data.expires_at == event.time + timedelta(seconds=120)
    assert event == request("gate", 100, 60.0)
    assert event.id != request("gate", 101, 60.0).id != request("porch", 100, 60.0).id


def test_without_the_journal_the_same_slot_is_asked_again(here: Core, monkeypatch):
    clock = Clock(datetime(2026, 3, 1, 12, 0, 3, tzinfo=UTC))
    intervals = Intervals(here.parts, clock)
    append = here.journal.append

    def away(_events):
        raise JournalUnavailable("away")

    monkeypatch.setattr(here.journal, "append", away)
    intervals.ask()
    monkeypatch.setattr(here.journal, "append", append)
    intervals.ask()
    assert len(requests(here)) == 1


@pytest.mark.promise("inv I6", "fault P1", "fault P2")
def test_what_no_broker_confirmed_is_published_again(here: Core, clock: Clock):
    here.journal.append([taken(1), taken(2)])
    here.journal.mark_published([taken(2).id])
    reconciler = Reconciler(here.parts, at_once=False, clock=clock)
    reconciler.reconcile()
    assert here.told == []
    clock.forward(6)
    reconciler.reconcile()
    reconciler.reconcile()
    assert [event.id for event in here.told] == [taken(1).id]
    assert here.told[0].extra == {REPEATED: True}  # whoever would do it twice looks first


def test_the_log_claims_no_more_than_was_done(here: Core, clock: Clock, caplog):
    caplog.set_level(logging.INFO)
    here.journal.append([taken(1)])
    clock.forward(6)
    Reconciler(here.parts, at_once=False, clock=clock).reconcile()
    assert here.journal.recovery.unpublished(clock(), 10) == [taken(1)], "nobody confirmed it"
    assert "asked the broker to take 1 unpublished, 0 due and 0 forgotten events" in caplog.text


def test_many_unpublished_events_go_out_without_pauses(here: Core, clock: Clock):
    here.journal.append([taken(number) for number in range(BATCH + 10)])
    clock.forward(6)
    reconciler = Reconciler(here.parts, at_once=False, clock=clock)
    assert reconciler.reconcile()
    here.journal.mark_published([event.id for event in here.told])
    assert not reconciler.reconcile()
    assert len(here.told) == len({event.id for event in here.told}) == BATCH + 10


@pytest.mark.promise("inv I6", "inv I18")
def test_what_a_broker_lost_is_delivered_to_the_one_that_owes_it(here: Core, clock: Clock):
    here.journal.append([taken(1), taken(2), taken(3)])
    here.journal.mark_published([taken(n).id for n in (1, 2, 3)])
    here.journal.finish("detector", taken(1), [])
    clock.forward(31)
    here.journal.report("detector", clock(), {})
    reconciler = Reconciler(here.parts, at_once=False, clock=clock)
    reconciler.reconcile()
    reconciler.reconcile()
    assert here.again == [("detector", taken(2).id), ("detector", taken(3).id)]


def test_what_was_never_published_goes_to_all_not_to_one(here: Core, clock: Clock):
    here.journal.append([taken(1)])
    clock.forward(31)
    Reconciler(here.parts, at_once=False, clock=clock).reconcile()
    assert (len(here.told), here.again) == (1, [])


def test_a_service_that_does_not_run_has_its_messages_in_its_queue(here: Core, clock: Clock):
    here.journal.append([taken(1)])
    here.journal.mark_published([taken(1).id])
    clock.forward(61)
    reconciler = Reconciler(here.parts, at_once=False, clock=clock)
    reconciler.reconcile()
    assert here.again == []
    here.journal.report("detector", clock(), {})
    reconciler.reconcile()
    assert len(here.again) == 1


@pytest.mark.promise("fault D5")
def test_a_service_that_works_through_its_queue_is_left_alone(here: Core, clock: Clock):
    events = [taken(number) for number in range(3)]
    here.journal.append(events)
    here.journal.mark_published([event.id for event in events])
    clock.forward(31)
    here.journal.report("detector", clock(), {})
    here.journal.finish("detector", events[2], [])
    reconciler = Reconciler(here.parts, at_once=False, clock=clock)
    reconciler.reconcile()
    assert here.again == []
    clock.forward(600)
    here.journal.report("detector", clock(), {})
    here.journal.finish("detector", taken(9), [])
    reconciler.reconcile()
    assert len(here.again) == 2


@pytest.mark.promise("inv I18", "fault P2")
def test_what_a_busy_service_was_passed_by_is_delivered_again(here: Core, clock: Clock):
    here.journal.append([taken(1)])
    here.journal.mark_published([taken(1).id])  # by a broker that had no queue for it yet
    clock.forward(40)
    later = [taken(2), taken(3)]
    here.journal.append(later)
    here.journal.mark_published([event.id for event in later])
    here.journal.report("detector", clock(), {})
    here.journal.finish("detector", later[0], [])
    Reconciler(here.parts, at_once=False, clock=clock).reconcile()
    assert here.again == [("detector", taken(1).id)]


@pytest.mark.promise("inv I6")
def test_a_retry_is_delivered_when_it_is_due_and_once_per_attempt(here: Core, clock: Clock):
    here.journal.append([taken(1)])
    here.journal.mark_published([taken(1).id])
    here.journal.fail("detector", taken(1), "busy", attempts=1, retry_after_s=10)
    reconciler = Reconciler(here.parts, at_once=False, clock=clock)
    reconciler.reconcile()
    assert here.again == []
    clock.forward(10)
    reconciler.reconcile()
    reconciler.reconcile()
    assert len(here.again) == 1
    here.journal.fail("detector", taken(1), "busy", attempts=2, retry_after_s=0)
    reconciler.reconcile()
    assert len(here.again) == 2


def test_what_a_lost_broker_did_not_take_is_delivered_as_soon_as_it_is_back(
    here: Core, clock: Clock, monkeypatch
):
    here.journal.append([taken(1)])
    here.journal.mark_published([taken(1).id])
    clock.forward(31)
    here.journal.report("detector", clock(), {})
    parts = here.parts
    taking = parts.redeliver

    def away(_service, _events):
        raise BrokerUnavailable("away")

    object.__setattr__(parts, "redeliver", away)
    reconciler = Reconciler(parts, at_once=False, clock=clock)
    with pytest.raises(BrokerUnavailable):
        reconciler.reconcile()
    object.__setattr__(parts, "redeliver", taking)
    reconciler.reconcile()
    assert len(here.again) == 1


@pytest.mark.promise("inv I6")
def test_with_a_broker_that_begins_empty_all_that_was_open_before_comes_at_once(
    here: Core, clock: Clock
):
    old = [taken(number) for number in range(BATCH * 2 + 5)]
    here.journal.append(old)
    here.journal.mark_published([event.id for event in old[5:]])
    here.journal.finish("detector", old[7], [])
    clock.forward(0.001)
    reconciler = Reconciler(here.parts, at_once=True, clock=clock)
    clock.forward(0.001)
    fresh = taken(5000)
    here.journal.append([fresh])
    here.journal.mark_published([fresh.id])
    reconciler.reconcile()
    assert [event.id for event in here.told] == [event.id for event in old[:5]]
    ids = [event_id for _, event_id in here.again]
    assert ids == [event.id for event in old[5:] if event is not old[7]]
    assert fresh.id not in ids
    reconciler.reconcile()
    assert len(here.again) == len(ids)


def test_it_runs_on_without_the_journal_until_it_is_stopped(here: Core, monkeypatch):
    calls: list[int] = []

    def away(*_):
        calls.append(1)
        raise JournalUnavailable("away")

    monkeypatch.setattr(here.journal.recovery, "unpublished", away)
    reconciler = Reconciler(here.parts, at_once=False)
    reconciler._every_s = 0.01
    stop = threading.Event()
    thread = threading.Thread(target=reconciler.run, args=(stop,), daemon=True)
    thread.start()
    eventually(lambda: len(calls) > 3)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_the_service_says_what_it_does(here: Core):
    service = build(here.parts)
    assert service.name == "scheduler"
    names = [source.name for source in service.sources]
    assert names == ["intervals", "reconciler", "integrity", "janitor"]
    assert service.about() == {"ok": True, "summary": "asks gate every 10 s"}
    assert analyzed(taken(1)).topic not in service.handlers


@pytest.mark.promise("inv I3", "fault F1")
def test_what_a_killed_upload_left_is_removed_after_an_hour(here: Core):
    store, stop = here.parts.store, threading.Event()
    kept = here.arrive(picture(1)).snapshot_id
    old, fresh = (store.incoming / name for name in ("old.part", "fresh.part"))
    old.touch()
    fresh.touch()
    os.utime(old, (0, 0))

    thread = threading.Thread(target=Janitor(here.parts, 0.01).run, args=(stop,), daemon=True)
    thread.start()
    eventually(lambda: not old.exists())
    store.incoming.rename(store.incoming.with_name("away"))  # as on a volume that is away
    stop.set()
    thread.join(5)

    assert not thread.is_alive()
    assert store.incoming.with_name("away").joinpath("fresh.part").exists()
    snapshot = here.journal.read.snapshot(kept)
    assert snapshot and store.path(snapshot.sha256).exists()
