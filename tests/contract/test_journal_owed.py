"""What the journal knows of who owes what: work that is forgotten, late, stuck or dead."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.errors import StoreMissing
from shared.events import Event
from shared.journal import Journal
from shared.journal.schema import events
from tests.support.making import START, Clock, analyzed, taken
from tests.support.recording import catalogue


@pytest.mark.promise("inv I6")
def test_what_a_service_has_not_answered_is_forgotten_work(journal: Journal, clock: Clock):
    journal.append([taken(1)])
    clock.forward(86_401)
    journal.subscribe("drive", ["snapshot.taken"])
    sent = [taken(number) for number in range(2, 8)]
    journal.append([*sent, analyzed(sent[0])])
    journal.mark_published([each.id for each in sent[:-1]])
    journal.finish("drive", sent[0], [])
    journal.fail("drive", sent[1], "busy", attempts=1, retry_after_s=60)
    journal.fail("drive", sent[2], "no", attempts=1, retry_after_s=None)

    def owed(before=None, **options: Any) -> list[Event]:
        found = journal.recovery.forgotten(before or clock(), options.pop("limit", 10), **options)
        return [each.event for each in found]

    assert owed() == [sent[3], sent[4]]
    assert owed(clock() - timedelta(seconds=1)) == []
    assert owed(limit=1) == [sent[3]]
    (first, *_rest) = journal.recovery.forgotten(clock(), 10)
    assert owed(after=first.seq) == [sent[4]]
    clock.forward(1)
    journal.begin("drive", sent[3], redelivered=True)
    assert owed(clock() - timedelta(seconds=1)) == [sent[4]]
    assert owed() == [sent[3], sent[4]]
    assert journal.recovery.due(10) == []
    clock.forward(60)
    (due,) = journal.recovery.due(10)
    assert (due.service, due.event, due.attempts) == ("drive", sent[1], 1)


@pytest.mark.promise("inv I6")
def test_what_came_before_a_service_first_started_is_owed_too(journal: Journal):
    early = taken(1)
    journal.append([early])
    journal.mark_published([early.id])

    journal.subscribe("drive", ["snapshot.taken"])

    assert [each.event for each in journal.recovery.forgotten(START, 10)] == [early]


@pytest.mark.promise("inv I6")
def test_settling_forgets_nothing(journal: Journal, clock: Clock):
    journal.subscribe("drive", ["snapshot.taken"])
    sent = [taken(number) for number in range(6)]
    journal.append(sent)
    journal.mark_published([each.id for each in sent])
    for each in (sent[0], sent[1], sent[3]):
        journal.finish("drive", each, [])
    journal.begin("drive", sent[1], redelivered=True)
    journal.begin("drive", sent[5], redelivered=True)
    clock.forward(3600)
    for _ in range(2):
        journal.recovery.advance()
        found = journal.recovery.forgotten(clock(), 10)
        assert [each.event for each in found] == [sent[2], sent[4], sent[5]]
    for each in (sent[2], sent[4]):
        journal.finish("drive", each, [])
    journal.recovery.advance()
    assert [each.event for each in journal.recovery.forgotten(clock(), 10)] == [sent[5]]


@pytest.mark.promise("inv I6", "fault S2")
def test_settling_waits_for_what_commits_late_although_the_clock_is_put_ahead(
    journal: Journal, clock: Clock
):
    journal.subscribe("drive", ["snapshot.taken"])
    sent = [taken(number) for number in range(3)]
    journal.append(sent)
    journal.mark_published([each.id for each in sent])
    journal.finish("drive", sent[0], [])
    journal.finish("drive", sent[2], [])
    late = events.c.id == sent[1].id
    with journal.recovery._database.writing() as connection:  # not committed yet, as it were
        connection.execute(events.update().where(late).values(topic="none"))
    clock.forward(3600)
    journal.recovery.advance()
    with journal.recovery._database.writing() as connection:
        connection.execute(events.update().where(late).values(topic="snapshot.taken"))
    journal.recovery.advance()
    assert [each.event for each in journal.recovery.forgotten(clock(), 10)] == [sent[1]]


@pytest.mark.promise("sec N2")
def test_a_service_that_owes_and_does_not_move_is_stuck(journal: Journal, clock: Clock):
    journal.subscribe("drive", ["snapshot.taken"])
    assert journal.recovery.stuck("drive", 60) == ""
    sent = [taken(1), taken(2)]
    journal.append(sent)
    clock.forward(59)
    assert journal.recovery.stuck("drive", 60) == ""
    clock.forward(1)
    assert journal.recovery.stuck("drive", 60) == "owes 2 events and has finished nothing for 60 s"
    journal.finish("drive", sent[0], [])
    assert journal.recovery.stuck("drive", 60) == ""
    clock.forward(61)
    assert "owes 1 events" in journal.recovery.stuck("drive", 60)
    journal.finish("drive", sent[1], [])
    clock.forward(999)
    assert journal.recovery.stuck("drive", 60) == ""
    assert journal.recovery.stuck("nobody", 60) == ""


def test_a_topic_that_is_given_up_is_owed_no_more(journal: Journal, clock: Clock):
    journal.subscribe("drive", ["snapshot.taken", "snapshot.analyzed"])
    journal.append([taken(1)])
    journal.mark_published([taken(1).id])
    journal.subscribe("drive", ["snapshot.analyzed"])
    assert journal.recovery.forgotten(clock(), 10) == []
    journal.subscribe("drive", [])


@pytest.mark.promise("sec N2")
def test_the_lag_says_how_long_what_waits(journal: Journal, clock: Clock):
    first, second = catalogue(journal, 1), catalogue(journal, 2)
    journal.mark_published([first.id])
    journal.fail("drive", second, "no", attempts=1, retry_after_s=None)
    clock.forward(5)
    lag = journal.read.lag()
    assert (lag.unpublished, lag.oldest_unpublished_s) == (1, 5)
    assert (lag.unfinished, lag.oldest_unfinished_s, lag.dead) == (1, 5, 1)


def test_replaying_chooses_by_service_event_or_snapshot(journal: Journal):
    for number in range(4):
        first = catalogue(journal, number)
        journal.mark_published([first.id])
        for service in ("drive", "detector"):
            journal.fail(service, first, "no", attempts=1, retry_after_s=None)
    replay = journal.recovery.replay
    assert replay(snapshot_id=taken(0).snapshot_id or "") == 2
    assert replay(event_id=taken(1).id, service="drive") == 1
    assert replay(service="drive") == 2
    assert replay() == 3
    assert len(journal.recovery.due(100)) == 8


@pytest.mark.promise("fault S2")
def test_work_of_before_the_clock_was_put_back_does_not_wait_for_that_time_to_come(
    journal: Journal, clock: Clock
):
    journal.subscribe("drive", ["snapshot.taken"])
    clock.forward(3600)
    unpublished, unanswered, failed = sent = [taken(number) for number in range(3)]
    journal.append(sent)
    journal.mark_published([unanswered.id, failed.id])
    journal.fail("drive", failed, "busy", attempts=1, retry_after_s=5)
    recovery = journal.recovery
    assert recovery.due(10) == recovery.forgotten(clock() - timedelta(seconds=30), 10) == []

    clock.forward(-3600)

    before = clock() - timedelta(seconds=30)
    assert recovery.unpublished(before, 10) == [unpublished]
    assert [each.event for each in recovery.due(10)] == [failed]
    assert [each.event for each in recovery.forgotten(before, 10)] == [unanswered]


def test_processes_report_and_those_long_gone_are_forgotten(journal: Journal, clock: Clock):
    journal.report("drive", START, {"ok": True})
    clock.forward(86_000)
    journal.report("ftp", START, {"ok": False})
    assert [part.service for part in journal.read.service_status()] == ["drive", "ftp"]
    clock.forward(401)
    journal.report("ftp", START, {"ok": True})
    (part,) = journal.read.service_status()
    assert (part.service, part.about, part.seen_at) == ("ftp", {"ok": True}, clock())


@pytest.mark.promise("fault W6")
def test_a_journal_belongs_to_one_store(journal: Journal):
    journal.facts.belongs_to("a")
    journal.facts.belongs_to("a")
    with pytest.raises(StoreMissing, match="mount the right volume"):
        journal.facts.belongs_to("b")
    assert journal.facts.recall("store") == "a"
    assert journal.facts.recall("other") is None
