"""Workers: each event once, whatever the handler, the journal and the broker do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData

from shared.bus.local import LocalBroker
from shared.bus.relay import Relay
from shared.bus.thread import Bus
from shared.envelope import MAX_BYTES, REPEATED
from shared.errors import (
    JournalUnavailable,
    Reject,
    Retry,
    SnapshotMissing,
    StoreMissing,
    Unreachable,
)
from shared.events import Event, SnapshotAnalyzed, SnapshotArchived, SnapshotSkipped, now
from shared.journal import Journal
from shared.journal import journal as journal_module
from shared.journal.owned import Change, OwnedTable
from shared.runtime import outbox
from shared.runtime import worker as workers
from shared.runtime.in_flight import InFlight
from shared.runtime.metrics import Metrics
from shared.runtime.outbox import Outbox
from shared.runtime.worker import Worker, announce
from shared.service import Handler, Service
from shared.settings.runtime import WorkSection
from tests.support.fakes import eventually
from tests.support.making import analyzed, taken

EVENT = analyzed(taken(1), "cat")
OTHER = analyzed(taken(2), "cat")


def skipped(event: Event) -> Sequence[Event]:
    data = SnapshotSkipped(camera=event.subject, policy="people")
    return [data.event(subject=event.subject, cause=event)]


@dataclass(frozen=True)
class Count:
    name: str
    number: int


class Rig:
    """A service named drive with a real journal, relay, bus and local broker."""

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self.journal = Journal.open(f"sqlite:///{folder}/journal.db")
        self.broker, self.relay, self.metrics = LocalBroker(), Relay(), Metrics()
        self.handler: Handler = skipped
        self.seen: list[str] = []
        self.stop, self.outbox_stop = threading.Event(), threading.Event()
        topics = {"snapshot.analyzed": self.handle}
        self.service = Service("drive", topics, workers=workers)
        self.bus = Bus(self.broker, self.relay, {"drive": (list(topics), workers)})
        self.policy = WorkSection(attempts=2, retries=3)
        self.outbox = Outbox(self.relay, self.journal, self.outbox_stop)
        self.workers = [self.worker(number, InFlight()) for number in range(workers)]
        in_flight = InFlight()
        for each in self.workers:
            each._in_flight = in_flight

    def worker(self, number: int, in_flight: InFlight) -> Worker:
        return Worker(
            self.service,
            number,
            relay=self.relay,
            journal=self.journal,
            policy=self.policy,
            metrics=self.metrics,
            in_flight=in_flight,
            stop=self.stop,
        )

    def handle(self, event: Event) -> Sequence[Event | Change]:
        self.seen.append(event.id)
        return self.handler(event)

    def start(self) -> None:
        for thread in (self.bus, self.outbox, *self.workers):
            thread.start()

    def give(self, *events: Event, queue: str = "") -> None:
        announce(self.relay.end(), events, queue)

    def status(self, event: Event = EVENT) -> str:
        if self.journal.begin("drive", event, redelivered=False).done:
            dead = [item.event.id for item in self.journal.recovery.items(("dead",))]
            return "dead" if event.id in dead else "done"
        items = self.journal.recovery.items()
        return next((item.status for item in items if item.event.id == event.id), "open")

    def reached(self, seen: int, status: str) -> bool:
        return (len(self.seen), self.status()) == (seen, status)

    def is_idle(self) -> bool:
        return not self.broker._queues["drive"].unacknowledged

    def error(self) -> str:
        return self.journal.recovery.items()[0].error

    def has_counted(self, name: str, count: int) -> bool:
        return self.outcome(name) == count

    def outcome(self, name: str) -> float:
        counter = self.metrics.handled.labels("drive", "snapshot.analyzed", name)
        return counter._value.get()

    def close(self) -> None:
        self.stop.set()
        for worker in self.workers:
            worker.join(5)
        self.bus.stop()
        self.bus.join(5)
        self.outbox_stop.set()
        self.outbox.join(5)
        assert not any(each.is_alive() for each in (self.bus, self.outbox, *self.workers))
        self.relay.end().close()
        self.relay.close()
        self.journal.close()


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    for module in (workers, outbox):  # how long they notice nothing of a stop
        monkeypatch.setattr(module, "WAIT_S", 0.02)
    rig = Rig(tmp_path)
    rig.journal.subscribe("drive", ["snapshot.analyzed"])
    rig.journal.append([EVENT, OTHER])
    rig.start()
    yield rig
    rig.close()


def test_outputs_are_committed_published_and_marked(rig: Rig):
    rig.give(EVENT, OTHER)
    assert eventually(lambda: rig.status() == rig.status(OTHER) == "done")
    (output,) = skipped(EVENT)
    recorded = rig.journal.read.event(output.id)
    assert recorded is not None
    assert recorded.event.source == "/snapbus/drive"
    eventually(lambda: not rig.journal.recovery.unpublished(now(), 10))
    assert rig.outcome("done") == 2


@pytest.mark.promise("inv I5")
def test_an_output_is_committed_before_it_is_published_and_marked_after_it_is_confirmed(
    rig: Rig, monkeypatch
):
    (output,) = skipped(EVENT)
    steps: list[str] = []

    def told(step: str, call: Callable[..., Any], of: Callable[..., bool]) -> Callable[..., Any]:
        def instead(*args: Any, **options: Any) -> Any:
            if not of(*args):
                return call(*args, **options)
            steps.append(f"{step} begins")
            found = call(*args, **options)
            steps.append(f"{step} ends")
            return found

        return instead

    finish, mark = rig.journal.finish, rig.journal.mark_published

    def slow(*args: Any, **options: Any) -> Any:
        threading.Event().wait(0.05)  # as on a slow disk: what is said too early is seen
        return finish(*args, **options)

    publish = rig.broker.publish
    monkeypatch.setattr(rig.journal, "finish", told("commit", slow, lambda *_: True))
    monkeypatch.setattr(
        rig.broker, "publish", told("publish", publish, lambda sent: sent.event_id == output.id)
    )
    monkeypatch.setattr(
        rig.journal, "mark_published", told("mark", mark, lambda ids: output.id in ids)
    )
    rig.give(EVENT)

    eventually(lambda: "mark ends" in steps)
    assert steps == [
        f"{step} {part}" for step in ("commit", "publish", "mark") for part in ("begins", "ends")
    ]


@pytest.mark.promise("inv I8", "fault D5")
def test_a_second_delivery_does_nothing(rig: Rig):
    rig.give(EVENT)
    eventually(lambda: rig.status() == "done")
    for count in (1, 2):
        eventually(rig.is_idle)
        rig.give(EVENT)
        eventually(partial(rig.has_counted, "repeated", count))
    assert rig.seen == [EVENT.id]


@pytest.mark.promise("inv I8", "fault D5")
def test_without_a_look_first_a_repeat_is_worked_on_and_said_once(rig: Rig, monkeypatch):
    for worker in rig.workers:
        worker._service = replace(rig.service, look_up_first=False)
    begin, asked = rig.journal.begin, []

    def counted(service: str, event: Event, *, redelivered: bool) -> journal_module.Attempt:
        asked.append(redelivered)
        return begin(service, event, redelivered=redelivered)

    monkeypatch.setattr(rig.journal, "begin", counted)
    for count in (1, 2):
        rig.give(EVENT)
        eventually(partial(rig.has_counted, "done", count))
        eventually(rig.is_idle)
    assert asked == []
    assert rig.seen == [EVENT.id] * 2
    (output,) = skipped(EVENT)
    published = [each.event.id for each in rig.journal.read.story(str(EVENT.snapshot_id))]
    assert published == [EVENT.id, output.id]

    rig.give(replace(EVENT, extra={REPEATED: True}))  # what may have been published before
    eventually(partial(rig.has_counted, "repeated", 1))
    rig.give(EVENT, queue="drive")  # what is delivered again
    eventually(partial(rig.has_counted, "repeated", 2))
    assert asked == [True, True]


@pytest.mark.promise("inv I8", "fault D5")
def test_two_deliveries_at_the_same_time_are_handled_once(rig: Rig):
    entered, leave = threading.Event(), threading.Event()

    def slow(event: Event) -> Sequence[Event]:
        entered.set()
        assert leave.wait(10)
        return skipped(event)

    rig.handler = slow
    rig.give(EVENT, EVENT, EVENT)
    assert entered.wait(5)
    # The other worker is free for another event, although it was given this one too.
    rig.give(OTHER)
    eventually(lambda: OTHER.id in rig.seen)
    leave.set()
    eventually(lambda: rig.status() == "done")
    eventually(rig.is_idle)
    assert rig.seen.count(EVENT.id) == 1


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


@pytest.mark.promise("inv I8")
def test_what_another_process_said_is_not_said_again(rig: Rig):
    def elsewhere(event: Event) -> Sequence[Event]:
        rig.journal.finish("drive", event, skipped(event))
        return skipped(event)

    rig.handler = elsewhere
    rig.give(EVENT)
    eventually(lambda: rig.seen and rig.is_idle())
    (output,) = skipped(EVENT)
    recorded = rig.journal.read.event(output.id)
    assert recorded is not None
    assert recorded.published_at is None  # this one did not publish it; the reconciler will


@pytest.mark.promise("fault D3")
def test_an_event_that_ends_its_process_again_and_again_is_dead(tmp_path: Path, caplog):
    journal = Journal.open(f"sqlite:///{tmp_path}/journal.db")
    journal.append([EVENT])
    # What a crash leaves behind: begun, and neither finished nor failed.
    for attempt in (1, 2):
        begun = journal.begin("drive", EVENT, redelivered=True)
        assert begun == journal_module.Attempt(False, attempt, unended=attempt > 1)
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


@pytest.mark.parametrize(("attempts", "longest"), [(1, 5), (2, 10), (3, 20), (4, 40), (9, 60)])
def test_the_next_try_is_due_later_after_each_failure(rig: Rig, attempts: int, longest: float):
    worker = rig.workers[0]
    worker._policy = WorkSection(retries=20, first_retry_s=5, longest_retry_s=60)
    rig.journal.begin("drive", EVENT, redelivered=False)
    began = now()

    attempt = journal_module.Attempt(False, attempts)
    worker._failure(EVENT, attempt, Retry("the archive is away"))()

    (item,) = rig.journal.recovery.items()
    assert item.next_attempt_at is not None
    assert longest / 2 <= (item.next_attempt_at - began).total_seconds() <= longest + 5


def test_data_is_validated_once_and_what_does_not_fit_is_dead_without_the_handler(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    validated: list[Mapping[str, Any]] = []
    validate = SnapshotAnalyzed.model_validate

    def counting(data: Mapping[str, Any]) -> SnapshotAnalyzed:
        validated.append(data)
        return validate(data)

    def handler(event: Event) -> Sequence[Event]:
        assert event.parsed(SnapshotAnalyzed).camera == event.subject
        return skipped(event)

    monkeypatch.setattr(SnapshotAnalyzed, "model_validate", counting)
    rig.handler = handler
    rig.give(EVENT, replace(OTHER, data={**OTHER.data, "cmaera": "porch"}), queue="drive")

    eventually(lambda: (rig.status(), rig.status(OTHER)) == ("done", "dead"))
    assert rig.seen == [EVENT.id]
    assert len(validated) == 2


@pytest.mark.promise("feat A15")
def test_work_that_waits_for_a_place_never_dies_and_all_of_it_goes_on_when_it_is_back(
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


def test_an_ordered_service_handles_the_events_of_a_camera_one_after_the_other(tmp_path: Path):
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


def test_changes_of_a_services_table_and_its_events_are_committed_together(rig: Rig):
    table = OwnedTable("drive", "counts", Count, ("name",), metadata=MetaData())
    with rig.journal._database.writing() as connection:
        table.table.create(connection)
    counts = rig.journal.owned(table)

    def handler(event: Event) -> Sequence[Event | Change]:
        before = counts.get("all")
        after = Count("all", (before.number if before else 0) + 1)
        return [*skipped(event), table.replace(before, after) if before else table.add(after)]

    rig.handler = handler
    rig.give(EVENT)
    eventually(lambda: rig.status() == "done")
    rig.give(OTHER)
    eventually(lambda: rig.status(OTHER) == "done")
    assert counts.get("all") == Count("all", 2)
