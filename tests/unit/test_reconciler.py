"""The reconciler: what was committed and not finished is carried through, to whom it belongs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.scheduler.reconciler import BATCH, Reconciler
from shared.envelope import REPEATED
from shared.errors import BrokerUnavailable, JournalUnavailable
from shared.events import now
from tests.support.fakes import eventually
from tests.support.making import Clock, Core, core, taken


@pytest.fixture
def clock() -> Clock:
    return Clock(now())


@pytest.fixture
def here(tmp_path: Path, clock: Clock) -> Iterator[Core]:
    with closing(core(tmp_path, clock=clock)) as here:
        here.journal.subscribe("detector", ["snapshot.taken"])
        here.journal.report("detector", clock(), {})
        yield here


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


def test_while_nothing_is_forgotten_it_is_looked_for_seldom_and_found_in_time(
    here: Core, clock: Clock, monkeypatch
):
    looks: list[datetime] = []
    forgotten = here.journal.recovery.forgotten

    def counted(before, *others):
        looks.append(before)
        return forgotten(before, *others)

    monkeypatch.setattr(here.journal.recovery, "forgotten", counted)
    reconciler = Reconciler(here.parts, at_once=False, clock=clock)
    here.journal.append([taken(1)])
    here.journal.mark_published([taken(1).id])
    began = clock()
    while not here.again:
        reconciler.reconcile()
        clock.forward(2)
        here.journal.report("detector", clock(), {})
    assert clock() - began <= timedelta(seconds=42)
    assert len(looks) == 4
    clock.forward(-3600)
    reconciler.reconcile()
    assert len(looks) == 5


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
    events = [taken(number) for number in range(4)]
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
    here.journal.finish("detector", events[3], [])
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
