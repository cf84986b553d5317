"""The scheduler's intervals: one request per camera and slot, whatever the clock and others do."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from services.scheduler.app import build
from services.scheduler.interval import Intervals, request
from services.scheduler.janitor import Janitor
from services.scheduler.jobs import Job, Jobs
from shared.errors import JournalUnavailable
from shared.events import Event, SnapshotRequested, now
from shared.stop import Stop
from tests.support.fakes import eventually
from tests.support.making import Clock, Core, analyzed, core, picture, taken

GATE = {"cameras": {"gate": {"fetch": {"url": "http://192.0.2.1/", "every_s": 10}}}}

PORCH = {"fetch": {"url": "http://192.0.2.2/", "every_s": 60}}


@pytest.fixture
def clock() -> Clock:
    return Clock(now())


@pytest.fixture
def here(tmp_path: Path, clock: Clock) -> Iterator[Core]:
    with closing(core(tmp_path, GATE, clock)) as here:
        yield here


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


@pytest.mark.promise("feat A13")
def test_the_running_service_asks_at_every_interval_until_it_is_stopped(tmp_path: Path):
    gate = {"fetch": {"url": "http://192.0.2.1/", "every_s": 0.1}}
    stop = Stop()
    with closing(core(tmp_path, {"cameras": {"gate": gate}})) as here:
        threads = [
            threading.Thread(target=source.run, args=(stop,), daemon=True)
            for source in build(here.parts).sources
        ]
        for thread in threads:
            thread.start()

        def gaps() -> list[float]:
            times = [event.time.timestamp() for event in requests(here)]
            return [round(after - before, 3) for before, after in pairwise(times)]

        eventually(lambda: gaps().count(0.1) >= 3)  # on a busy machine some may be missed
        stop.set()
        for thread in threads:
            thread.join(5)
        assert not any(thread.is_alive() for thread in threads)
        assert 0.0 not in gaps()


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


def test_the_service_says_what_it_does(here: Core):
    service = build(here.parts)
    assert service.name == "scheduler"
    names = [source.name for source in service.sources]
    assert names == ["intervals", "reconciler", "integrity", "jobs"]
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

    sweep = Janitor(here.parts)
    sweep()
    assert not old.exists()
    store.incoming.rename(store.incoming.with_name("away"))  # as on a volume that is away
    jobs = Jobs([Job("cleanup", "* * * * *", sweep)], UTC)
    thread = threading.Thread(target=jobs.run, args=(stop,), daemon=True)
    thread.start()  # it runs at the start, and fails
    stop.set()
    thread.join(5)

    assert not thread.is_alive()
    assert store.incoming.with_name("away").joinpath("fresh.part").exists()
    snapshot = here.journal.read.snapshot(kept)
    assert snapshot and store.path(snapshot.sha256).exists()
