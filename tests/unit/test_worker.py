"""Workers: each event once, whatever the handler, the journal and the broker do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import MetaData

from shared.envelope import REPEATED
from shared.events import Event, SnapshotAnalyzed, now
from shared.journal import Attempt
from shared.journal.owned import Change, OwnedTable
from tests.support.fakes import eventually
from tests.support.rig import EVENT, OTHER, Rig, skipped


@dataclass(frozen=True)
class Count:
    name: str
    number: int


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

    def counted(service: str, event: Event, *, redelivered: bool) -> Attempt:
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
    odd = replace(OTHER, id="odd", data={**OTHER.data, "cmaera": "porch"})
    rig.journal.append([odd])
    rig.give(EVENT, odd, queue="drive")

    eventually(lambda: (rig.status(), rig.status(odd)) == ("done", "dead"))
    assert rig.seen == [EVENT.id]
    assert len(validated) == 2


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
