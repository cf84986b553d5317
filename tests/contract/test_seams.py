"""Results in the plural, work that waits for a peer, tables of a service, order, and history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import MetaData

from shared.events import (
    Detection,
    Event,
    SnapshotAnalyzed,
    SnapshotArchived,
    SnapshotKept,
    SnapshotRefiled,
    SnapshotSkipped,
)
from shared.journal import Journal
from shared.journal.owned import OwnedTable, Stale
from shared.service import LAST_DAY, NOTHING_OLD
from tests.support.making import START, Clock, taken
from tests.support.recording import catalogue

PEER = "archive nas"


def seen(cause: Event, analyzer: str, label: str, confidence: float = 0.9) -> Event:
    found = Detection(label=label, confidence=confidence, box=(0, 0, 1, 1))
    data = SnapshotAnalyzed(
        camera=cause.subject, analyzer=analyzer, analyzed=True, detections=(found,)
    )
    return data.event(subject=cause.subject, cause=cause)


def filed(cause: Event, archive: str) -> Event:
    data = SnapshotArchived(
        camera="porch", archive=archive, path=f"{archive}.jpg", sha256="b" * 64, size=1
    )
    return data.event(subject="porch", cause=cause, key=str(cause.snapshot_id))


def skipped(cause: Event, archive: str) -> Event:
    data = SnapshotSkipped(camera="porch", archive=archive, policy="people")
    return data.event(subject="porch", cause=cause, key=str(cause.snapshot_id))


# Results in the plural


@pytest.mark.promise("inv I7")
def test_each_analyser_has_its_own_result_and_its_first_one_stays(journal: Journal):
    event = catalogue(journal)
    journal.finish("detector", event, [seen(event, "detector", "car")])
    journal.finish("cloud", event, [seen(event, "cloud", "Person", 0.99)])
    forged = seen(taken(7), "cloud", "cat")
    journal.append([Event(**_fields(forged), snapshot_id=event.snapshot_id)])

    snapshot = journal.read.snapshot(str(event.snapshot_id))

    assert snapshot is not None
    assert [each.analyzer for each in snapshot.analyses] == ["cloud", "detector"]
    labels = [each.data["detections"][0]["label"] for each in snapshot.analyses]
    assert labels == ["Person", "car"]
    assert journal.audit.analyzed_twice() == [snapshot.id]  # the forged one is told
    for label in ("Person", "car"):
        assert [row.id for row in journal.read.snapshots(label=label)] == [snapshot.id]


def _fields(event: Event) -> dict[str, Any]:
    names = ("id", "topic", "subject", "time", "data")
    return {name: getattr(event, name) for name in names}


@pytest.mark.promise("inv I9")
def test_each_archive_has_its_own_filing_and_one_that_holds_it_goes_before_one_that_does_not(
    journal: Journal,
):
    event = catalogue(journal)
    result = seen(event, "detector", "car")
    journal.finish("detector", event, [result])
    journal.finish("drive", result, [skipped(result, "folder")])
    assert _state(journal, event) == "skipped"
    journal.finish("drive-nas", result, [filed(result, "nas")])

    assert _state(journal, event) == "archived"
    snapshot = journal.read.snapshot(str(event.snapshot_id))
    assert snapshot is not None
    told = [(each.archive, each.state, each.path, each.policy) for each in snapshot.filings]
    assert told == [("folder", "skipped", "", "people"), ("nas", "archived", "nas.jpg", "")]
    assert next(iter(journal.audit.catalogue())).filed == (("nas", "nas.jpg"),)
    assert journal.audit.archived_twice() == journal.audit.state_without_event() == []


def of_kind(event: Event, **more: Any) -> Event:
    """An unaltered copy in the folder, or what ``more`` says."""
    values = {"camera": "porch", "archive": "folder", "path": "2026/03/01/a.jpg"} | more
    data = SnapshotArchived.model_validate({"sha256": "b" * 64, "size": 1, **values})
    return data.event(subject="porch", cause=event, key=str(event.snapshot_id))


@pytest.mark.promise("inv I9")
def test_copies_of_other_kinds_are_filings_of_their_own(journal: Journal):
    event = catalogue(journal)
    other = of_kind(event, kind="encrypted", path="2026/03/01/a.jpg.age", sha256="c" * 64, key="k")
    assert len(journal.append([of_kind(event), other, of_kind(event)])) == 2

    snapshot = journal.read.snapshot(str(event.snapshot_id))

    assert snapshot is not None
    told = [(each.kind, each.sha256[0], each.size, each.key) for each in snapshot.filings]
    assert told == [("original", "b", 1, None), ("encrypted", "c", 1, "k")]
    (row,) = journal.audit.catalogue()
    assert row.filed == (("folder", "2026/03/01/a.jpg"),)
    assert row.altered == (("folder", "2026/03/01/a.jpg.age"),)
    assert journal.audit.archived_twice() == []


def test_an_archived_event_of_an_earlier_version_is_that_of_an_unaltered_copy():
    data = {"camera": "a", "archive": "nas", "path": "x", "sha256": "b" * 64, "size": 1}
    old = SnapshotArchived.model_validate(data)
    assert (old.kind, old.link, old.key, old.discriminator) == ("original", None, None, "nas")


def test_what_is_put_back_with_other_bytes_is_known_by_them(journal: Journal):
    event = catalogue(journal)
    journal.append([of_kind(event, kind="encrypted")])
    data = SnapshotRefiled(
        camera="porch", archive="folder", kind="encrypted", path="2026/03/01/b.jpg.age",
        sha256="d" * 64, size=9, reason="missing",
    )  # fmt: skip
    journal.append([data.event(subject="porch", cause=event)])

    snapshot = journal.read.snapshot(str(event.snapshot_id))

    assert snapshot is not None
    (filing,) = snapshot.filings
    assert (filing.path, filing.sha256, filing.size) == ("2026/03/01/b.jpg.age", "d" * 64, 9)


@pytest.mark.promise("feat F12")
def test_a_snapshot_is_held_until_nobody_holds_it(journal: Journal):
    event = catalogue(journal)

    def say(*said: tuple[str, bool]) -> tuple[str, ...]:
        for number, (holder, kept) in enumerate(said):
            data = SnapshotKept(camera="porch", kept=kept, holder=holder)
            cause = f"{event.snapshot_id} {said} {number}"
            snapshot_id = event.snapshot_id
            journal.append([data.event(subject="porch", cause=cause, snapshot_id=snapshot_id)])
        snapshot = journal.read.snapshot(str(event.snapshot_id))
        return snapshot.holders if snapshot else ()

    assert say() == ()
    assert say(("page", True), ("page", True), ("google", True)) == ("google", "page")
    assert say(("page", False)) == ("google",)
    assert say(("google", False), ("google", False)) == ()


@pytest.mark.promise("inv I10")
def test_what_an_archive_holds_it_does_not_skip_afterwards(journal: Journal):
    event = catalogue(journal)
    first, second = seen(event, "detector", "car"), seen(event, "cloud", "Person")
    journal.finish("detector", event, [first])
    journal.finish("cloud", event, [second])
    journal.finish("drive", second, [filed(second, "folder")])
    journal.finish("drive", first, [skipped(first, "folder")])

    snapshot = journal.read.snapshot(str(event.snapshot_id))

    assert snapshot is not None
    assert (snapshot.state, snapshot.filings[0].state) == ("archived", "archived")


def _state(journal: Journal, event: Event) -> str:
    snapshot = journal.read.snapshot(str(event.snapshot_id))
    return snapshot.state if snapshot else ""


# Work that waits for a peer


def wait(journal: Journal, event: Event, peer: str = PEER, waited_for: str = "") -> None:
    journal.fail(
        "drive", event, "away", attempts=0, retry_after_s=10.0,
        waiting_for=peer, waited_for=waited_for,
    )  # fmt: skip


def due(journal: Journal) -> list[str]:
    return [owed.event.id for owed in journal.recovery.due(100)]


@pytest.fixture
def waiting(journal: Journal) -> list[Event]:
    """Five published events that wait for the same peer."""
    happened = [catalogue(journal, number) for number in range(5)]
    journal.mark_published([event.id for event in happened])
    for event in happened:
        wait(journal, event)
    return happened


def test_of_what_waits_for_a_peer_one_event_probes_it(
    journal: Journal, clock: Clock, waiting: list[Event]
):
    assert due(journal) == []
    clock.forward(11)
    assert due(journal) == [waiting[0].id]
    attempt = journal.begin("drive", waiting[0], redelivered=True)
    assert attempt.waited_for == PEER
    wait(journal, waiting[0], waited_for=attempt.waited_for)
    assert due(journal) == []
    clock.forward(11)
    assert due(journal) == [waiting[0].id]


def test_all_that_waits_goes_on_once_its_peer_is_back(
    journal: Journal, clock: Clock, waiting: list[Event]
):
    elsewhere = catalogue(journal, 9)
    journal.mark_published([elsewhere.id])
    wait(journal, elsewhere, "another peer")
    clock.forward(9)

    journal.finish("drive", waiting[0], [], waited_for=PEER)

    assert sorted(due(journal)) == sorted(event.id for event in waiting[1:])


def test_a_probe_that_fails_by_itself_shows_that_the_peer_is_back(
    journal: Journal, waiting: list[Event]
):
    journal.fail("drive", waiting[0], "damaged", attempts=1, retry_after_s=None, waited_for=PEER)

    assert sorted(due(journal)) == sorted(event.id for event in waiting[1:])


def test_parked_work_is_tried_again_even_if_its_probe_never_ends(
    journal: Journal, clock: Clock, waiting: list[Event]
):
    clock.forward(3700)
    assert len(due(journal)) == len(waiting)


def test_replay_wakes_what_waits(journal: Journal, waiting: list[Event]):
    assert journal.recovery.replay("drive") == len(waiting)
    assert len(due(journal)) == len(waiting)


# A service's own tables


@dataclass(frozen=True)
class Budget:
    month: str
    spent: int
    at: datetime | None = None


BUDGETS = OwnedTable("cloud", "budgets", Budget, ("month",), metadata=MetaData())


@pytest.fixture
def budgets(journal: Journal) -> Journal:
    with journal._database.writing() as connection:
        BUDGETS.table.create(connection)
    return journal


def test_a_services_table_changes_in_the_transaction_that_marks_its_work(budgets: Journal):
    event, own = catalogue(budgets), budgets.owned(BUDGETS)
    first = Budget("2026-03", 1, START)
    budgets.finish("cloud", event, [], changes=[BUDGETS.add(first)])
    assert own.get("2026-03") == first
    other = catalogue(budgets, 1)

    with pytest.raises(Stale):
        budgets.finish(
            "cloud", other, [seen(other, "cloud", "car")],
            changes=[BUDGETS.replace(first, Budget("2026-03", 2)), BUDGETS.add(first)],
        )  # fmt: skip

    assert own.all() == [first]
    assert not budgets.begin("cloud", other, redelivered=False).done
    assert _state(budgets, other) == "taken"


def test_a_row_that_changed_since_it_was_read_is_not_overwritten(budgets: Journal):
    event, own = catalogue(budgets), budgets.owned(BUDGETS)
    read = Budget("2026-03", 1)
    budgets.finish("cloud", event, [], changes=[BUDGETS.put(read)])
    budgets.finish("cloud", catalogue(budgets, 1), [], changes=[BUDGETS.put(Budget("2026-03", 5))])

    with pytest.raises(Stale):
        change = BUDGETS.replace(read, Budget("2026-03", 2))
        budgets.finish("cloud", catalogue(budgets, 2), [], changes=[change])

    assert own.all(month="2026-03") == [Budget("2026-03", 5)]
    budgets.finish("cloud", catalogue(budgets, 3), [], changes=[BUDGETS.remove(read)])
    assert own.get("2026-03") is None


def test_a_service_can_change_no_table_of_another(budgets: Journal):
    with pytest.raises(ValueError, match="drive changes a table of cloud"):
        budgets.finish("drive", catalogue(budgets), [], changes=[BUDGETS.put(Budget("x", 1))])

    assert budgets.owned(BUDGETS).all() == []


# Order


def test_an_event_of_a_camera_comes_after_those_before_it(journal: Journal):
    topics = ["snapshot.taken"]
    journal.subscribe("house", topics)
    first, second = catalogue(journal, 1), catalogue(journal, 2)
    other = taken(3, camera="yard")
    journal.record_snapshot(other, ["yard"], repeats_since=START)

    assert journal.order.comes_first("house", topics, second) == first.id
    assert journal.order.comes_first("house", topics, first) == ""
    assert journal.order.comes_first("house", topics, other) == ""
    journal.fail("house", second, "early", attempts=0, retry_after_s=5, waiting_for="order")
    assert journal.order.next_of("house", topics, first) == second
    journal.fail("house", first, "broken", attempts=1, retry_after_s=None)
    assert journal.order.comes_first("house", topics, second) == ""


# History


@pytest.mark.parametrize(
    ("history", "owed"),
    [(LAST_DAY, ["hour"]), (NOTHING_OLD, []), (timedelta(days=3), ["day", "hour"])],
)
def test_a_new_subscription_reaches_back_as_far_as_its_service_wants(
    journal: Journal, clock: Clock, history: timedelta, owed: list[str]
):
    ids = {}
    for name, hours, number in (("day", 47, 1), ("hour", 1, 2)):
        ids[catalogue(journal, number).id] = name
        clock.forward(hours * 3600)
    journal.mark_published(list(ids))

    journal.subscribe("house", ["snapshot.taken"], history)

    found = [ids[one.event.id] for one in journal.recovery.forgotten(clock(), 10)]
    assert found == owed


# Organisations


@pytest.mark.promise("inv I1")
def test_equal_keys_of_two_organisations_are_two_snapshots(journal: Journal):
    mine, theirs = taken(1), Event(**_fields(taken(2)), snapshot_id="2" * 26, organisation="farm")

    assert not journal.record_snapshot(mine, ["same"], repeats_since=START)[1]
    assert not journal.record_snapshot(theirs, ["same"], repeats_since=START)[1]
    again = Event(**_fields(taken(3)), snapshot_id="3" * 26, organisation="farm")
    assert journal.record_snapshot(again, ["same"], repeats_since=START) == ("2" * 26, True)
    assert journal.audit.keys_twice() == []
    (event,) = (each.event for each in journal.read.story("2" * 26))
    assert event.organisation == "farm"
