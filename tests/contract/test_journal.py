"""What the journal promises, on SQLite and on PostgreSQL alike: each thing once, and together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.journal import Attempt, Journal
from shared.journal.catalogue import Holder
from tests.support.making import START, Clock, analyzed, taken
from tests.support.recording import archived, catalogue, in_threads, rejected, skipped, state


@pytest.mark.promise("inv I1", "inv I4")
def test_a_snapshot_and_its_event_are_written_together(journal: Journal):
    first = catalogue(journal)
    snapshot = journal.read.snapshot(first.snapshot_id or "")
    assert snapshot is not None
    assert (snapshot.state, snapshot.camera, snapshot.captured_at) == ("taken", "porch", START)
    (recorded,) = journal.read.story(snapshot.id)
    assert recorded.event == first
    assert (recorded.recorded_at, recorded.published_at) == (START, None)


@pytest.mark.promise("inv I4")
def test_when_the_event_can_not_be_written_neither_is_the_row(journal: Journal):
    journal.append([taken(1)])
    with pytest.raises(Exception, match=r"(?i)unique"):
        journal.record_snapshot(taken(1), ["k"], repeats_since=START)
    assert journal.read.snapshots() == []
    assert catalogue(journal, 2)


@pytest.mark.promise("inv I1")
def test_a_known_key_is_answered_with_the_first_id(journal: Journal, clock: Clock):
    first = catalogue(journal, key="k")
    clock.forward(10**7)
    again = journal.record_snapshot(taken(1), ["k"], repeats_since=clock())
    assert again == (first.snapshot_id, True)
    assert journal.read.newest_seq() == 1


def test_who_has_which_key_is_told_for_many_at_once(journal: Journal):
    for number in range(25):
        journal.record_snapshot(taken(number), [f"k{number}"], repeats_since=START)
    mine = taken(0).organisation
    asked = [(mine, f"k{number}") for number in range(27)] + [("other", "k1")]
    assert journal.holders(asked) == {
        (mine, f"k{number}"): Holder(str(taken(number).snapshot_id), taken(number).data["sha256"])
        for number in range(25)
    }
    assert journal.holders([]) == {}


def test_a_key_of_before_counts_only_since_a_time(journal: Journal):
    first = catalogue(journal, key="window 1")
    keys = ["window 2", "window 1"]
    since = START + timedelta(microseconds=1)
    assert journal.record_snapshot(taken(1), keys, repeats_since=START) == (
        first.snapshot_id,
        True,
    )
    assert journal.record_snapshot(taken(2), keys, repeats_since=since)[1] is False


@pytest.mark.promise("inv I1", "fault B1")
def test_the_same_key_from_many_threads_is_one_row(journal: Journal):
    answers: list[tuple[str, bool]] = []

    def send(number: int) -> None:
        answers.append(journal.record_snapshot(taken(number), ["k"], repeats_since=START))

    in_threads(16, send)
    assert len(answers) == 16
    assert len({snapshot_id for snapshot_id, _ in answers}) == 1
    assert [known for _, known in answers].count(False) == 1
    assert journal.read.newest_seq() == 1


@pytest.mark.promise("inv I8")
def test_an_event_is_recorded_once(journal: Journal):
    assert journal.append([taken(1), taken(1)]) == [taken(1)]
    assert journal.append([taken(1), taken(2)]) == [taken(2)]
    assert journal.append([]) == []


@pytest.mark.promise("inv I8")
def test_outputs_and_the_mark_are_written_together_and_once(journal: Journal):
    first = catalogue(journal)
    seen = analyzed(first, "cat")
    assert journal.begin("detector", first, redelivered=False) == Attempt(False, 1)
    assert journal.finish("detector", first, [seen]) == [seen]
    assert journal.finish("detector", first, [seen]) == []
    assert journal.begin("detector", first, redelivered=True).done
    assert not journal.begin("drive", first, redelivered=False).done
    assert [each.event.topic for each in journal.read.story(first.snapshot_id or "")] == [
        "snapshot.taken",
        "snapshot.analyzed",
    ]


@pytest.mark.promise("inv I8")
def test_outputs_that_can_not_be_written_leave_no_mark(journal: Journal, monkeypatch):
    first = catalogue(journal)
    broken = analyzed(first)
    object.__setattr__(broken, "data", {"no JSON": object()})
    with pytest.raises(Exception, match="JSON"):
        journal.finish("detector", first, [broken])
    assert not journal.begin("detector", first, redelivered=False).done


@pytest.mark.promise("inv I10")
def test_what_is_done_stays_done_whatever_another_process_says(journal: Journal):
    first = catalogue(journal)
    journal.finish("drive", first, [])
    journal.fail("drive", first, "late", attempts=1, retry_after_s=1)
    journal.fail("drive", first, "late", attempts=1, retry_after_s=None)
    assert journal.begin("drive", first, redelivered=True).done
    assert journal.recovery.items() == []


@pytest.mark.promise("inv I10")
def test_what_is_dead_stays_so_until_it_is_replayed(journal: Journal):
    first = catalogue(journal)
    journal.fail("drive", first, "no use", attempts=3, retry_after_s=None)
    journal.fail("drive", first, "late", attempts=4, retry_after_s=1)
    assert journal.begin("drive", first, redelivered=True) == Attempt(True, 3)
    assert journal.recovery.replay(service="ftp") == 0
    assert journal.recovery.replay(service="drive", event_id=first.id) == 1
    assert journal.begin("drive", first, redelivered=False) == Attempt(False, 1)


@pytest.mark.promise("fault D3")
def test_a_redelivery_is_counted_before_the_work(journal: Journal):
    first = catalogue(journal)
    assert journal.begin("drive", first, redelivered=False) == Attempt(False, 1)
    assert journal.begin("drive", first, redelivered=True) == Attempt(False, 1)
    assert journal.begin("drive", first, redelivered=True) == Attempt(False, 2, unended=True)
    journal.fail("drive", first, "busy", attempts=2, retry_after_s=0)
    assert journal.begin("drive", first, redelivered=True) == Attempt(False, 3)


def test_any_error_text_is_kept(journal: Journal):
    first = catalogue(journal)
    journal.fail("drive", first, "nul \x00 half \ud800 " + "x" * 9999, attempts=1, retry_after_s=0)
    (item,) = journal.recovery.items()
    assert item.error.startswith("nul \ufffd half ? x")
    assert len(item.error) == 2000


@pytest.mark.promise("inv I5")
def test_published_is_what_was_confirmed(journal: Journal, clock: Clock):
    sent = [taken(number) for number in range(3)]
    journal.append(sent)
    journal.mark_published([sent[0].id, sent[2].id, "unknown"])
    assert journal.recovery.unpublished(clock(), 10) == [sent[1]]
    assert journal.recovery.unpublished(clock() - timedelta(seconds=1), 10) == []
    journal.mark_published([])


@pytest.mark.promise("inv I10", "fault D5")
@pytest.mark.parametrize(
    ("order", "end"),
    [
        (["analyzed"], "analyzed"),
        (["analyzed", "archived"], "archived"),
        (["archived", "analyzed"], "archived"),
        (["analyzed", "skipped"], "skipped"),
        (["skipped", "analyzed"], "skipped"),
        (["archived", "skipped"], "archived"),
        (["rejected"], "quarantined"),
        (["rejected", "analyzed"], "quarantined"),
        (["rejected", "archived"], "quarantined"),
        (["archived", "rejected"], "archived"),
    ],
)
def test_no_state_goes_backwards_in_whatever_order_events_come(
    journal: Journal, order: list[str], end: str
):
    first = catalogue(journal)
    seen = analyzed(first, "person", "cat", "cat")
    made = {
        "analyzed": seen,
        "archived": archived(seen),
        "skipped": skipped(seen),
        "rejected": rejected(first),
    }
    journal.append([made[name] for name in order])
    assert state(journal, first) == end
    journal.append([made[name] for name in order])
    assert state(journal, first) == end
    if "analyzed" in order:
        assert [s.id for s in journal.read.snapshots(label="cat")] == [first.snapshot_id]
        assert journal.read.label_names() == ["cat", "person"]


def test_snapshots_are_listed_newest_first_in_pages_and_by_what_they_are(journal: Journal):
    made = [catalogue(journal, n, camera="porch" if n % 2 else "gate") for n in range(6)]
    journal.append([analyzed(made[3], "cat")])
    journal.fail("drive", made[5], "no", attempts=1, retry_after_s=None)
    ids = [each.snapshot_id for each in made]

    def found(**options: Any) -> list[int]:
        return [ids.index(each.id) for each in journal.read.snapshots(**options)]

    assert found() == [5, 4, 3, 2, 1, 0]
    assert found(limit=2) == [5, 4]
    assert found(limit=2, before=ids[4]) == [3, 2]
    assert found(camera="gate") == [4, 2, 0]
    assert found(label="cat", state="analyzed") == [3]
    assert found(state="dead") == [5]
    assert found(since=START, until=START) == []
    assert journal.read.snapshots()[0].dead == ("drive",)
    assert journal.read.counts() == {"gate": {"taken": 3}, "porch": {"taken": 2, "analyzed": 1}}
    assert journal.read.snapshot("nothing") is None


@pytest.mark.promise("find D13", "feat E8")
def test_snapshots_are_found_by_how_many_people_and_things_they_show(journal: Journal):
    made = [catalogue(journal, n) for n in range(5)]
    journal.append([analyzed(made[1]), analyzed(made[2], "person", "cat")])
    journal.append([analyzed(made[3], "person", "person", "cat", "cat")])
    journal.append([analyzed(made[4], "person", confidence=0.79)])
    ids = [each.snapshot_id for each in made]

    def found(**options: Any) -> list[int]:
        return [ids.index(each.id) for each in journal.read.snapshots(**options)]

    for window in ({}, {"since": START - timedelta(days=1)}):  # each is read by its own index
        assert found(persons=1, **window) == [3, 2]
        assert found(persons=2, **window) == [3]
        assert found(persons=0, **window) == [4, 1]  # and not 0, which nobody looked at
        assert found(label="cat", label_count=2, **window) == [3]
        assert found(label="cat", persons=1, **window) == [3, 2]
    bounds = [START - timedelta(hours=1), START + timedelta(hours=1)]
    (counted,) = journal.read.counted(bounds)
    assert (counted.snapshots, counted.humans) == (5, 2)
    (counted,) = journal.read.counted(bounds, label="person")
    assert (counted.snapshots, counted.humans, counted.labels) == (3, 2, {"person": 3})


@pytest.mark.promise("find D13")
def test_of_several_analysers_the_one_that_saw_most_people_counts(journal: Journal):
    first = catalogue(journal)
    one, none = analyzed(first, "person"), analyzed(first)
    cloud = replace(none, id="cloud", data={**none.data, "analyzer": "cloud"})
    journal.append([one, cloud])
    assert [each.person_count for each in journal.read.snapshots()] == [1]
