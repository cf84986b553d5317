"""What the journal promises, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, event, insert, select, text

from shared.errors import ConfigError, JournalUnavailable, StoreMissing
from shared.events import Event, SnapshotArchived, SnapshotRejected, SnapshotSkipped
from shared.journal import Attempt, Journal
from shared.journal.database import Database
from shared.journal.group_commit import GroupCommit
from shared.journal.schema import events, metadata, snapshots, work
from tests.support.fakes import eventually
from tests.support.making import START, Clock, analyzed, taken
from tests.support.postgres import PostgresServer


def catalogue(journal: Journal, number: int = 0, key: str = "", **options: Any) -> Event:
    taken_event = taken(number, **options)
    key = key or f"key {number}"
    assert journal.record_snapshot(taken_event, [key], repeats_since=START) == (
        taken_event.snapshot_id,
        False,
    )
    return taken_event


def state(journal: Journal, happened: Event) -> str:
    snapshot = journal.read.snapshot(happened.snapshot_id or "")
    return snapshot.state if snapshot else "none"


def archived(cause: Event) -> Event:
    data = SnapshotArchived(camera="porch", archive="folder", path="a", sha256="b" * 64, size=1)
    return data.event(subject="porch", cause=cause)


def skipped(cause: Event) -> Event:
    return SnapshotSkipped(camera="porch", policy="people").event(subject="porch", cause=cause)


def rejected(cause: Event) -> Event:
    return SnapshotRejected(camera="porch", reason="cut").event(subject="porch", cause=cause)


def in_threads(count: int, call: Callable[[int], object]) -> None:
    threads = [
        threading.Thread(target=call, args=(number,), daemon=True) for number in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# Tables


def test_migrations_make_the_tables_of_the_schema(journal: Journal):
    with journal._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        partial = {
            index.name
            for table in metadata.tables.values()
            for index in table.indexes
            if index.dialect_options[connection.dialect.name]["where"] is not None
        }
        of_sqlite = "select sql from sqlite_master where name = :name"
        of_postgresql = "select indexdef from pg_indexes where indexname = :name"
        query = of_sqlite if connection.dialect.name == "sqlite" else of_postgresql
        assert partial
        for name in partial:
            assert "WHERE" in connection.execute(text(query), {"name": name}).scalar_one()


def test_opening_again_keeps_everything(url: str):
    for number in range(2):
        journal = Journal.open(url)
        catalogue(journal, number)
        assert len(journal.read.snapshots()) == number + 1
        journal.close()


def _open(url: str) -> None:
    Journal.open(url).close()


def test_processes_that_start_together_migrate_once(postgres_url: str):
    context = multiprocessing.get_context("forkserver")
    processes = [context.Process(target=_open, args=(postgres_url,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 3


def test_a_tool_makes_no_journal(url: str):
    with pytest.raises(ConfigError, match="start Snapbus first"):
        Journal.open(url, owner=False)
    with pytest.raises(ConfigError, match="start Snapbus first"):
        Journal.open(url, owner=False)


def test_a_tool_works_beside_a_running_process(url: str, journal: Journal):
    first = catalogue(journal)
    tool = Journal.open(url, owner=False)
    assert state(tool, first) == "taken"
    tool.append([taken(5)])
    tool.close()
    assert journal.read.newest_seq() == 2


# Arrivals


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


# Events and work


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


def test_an_event_of_another_program_is_recorded_with_its_first_answer(journal: Journal):
    foreign = taken(9)
    journal.finish("detector", foreign, [])
    recorded = journal.read.event(foreign.id)
    assert recorded is not None
    assert recorded.published_at is not None


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


# The catalogue


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


# What is owed


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


# Parts and facts


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
    journal.belongs_to("a")
    journal.belongs_to("a")
    with pytest.raises(StoreMissing, match="mount the right volume"):
        journal.belongs_to("b")
    assert journal.facts.recall("store") == "a"
    assert journal.facts.recall("other") is None


# Many at once, and without the database


@pytest.mark.promise("fault B1", "fault B2")
def test_thirty_two_threads_write_and_read_and_nothing_is_lost(journal: Journal):
    errors: list[BaseException] = []

    def work_on(number: int) -> None:
        try:
            for step in range(10):
                first = catalogue(journal, number * 100 + step)
                journal.finish("detector", first, [analyzed(first, "cat")])
                journal.read.snapshots(limit=3)
                journal.mark_published([first.id])
        except Exception as error:  # noqa: BLE001  told by the test
            errors.append(error)

    in_threads(32, work_on)
    assert errors == []
    assert journal.read.counts() == {"porch": {"analyzed": 320}}
    with journal._database.reading() as connection:
        assert len(connection.execute(select(work)).all()) == 320


@pytest.mark.promise("fault B2")
def test_threads_that_write_the_same_events_in_other_orders_all_succeed(url: str, journal: Journal):
    """On PostgreSQL two processes would lock each other out; one has to be tried again. Whoever
    waited too long for that can't know that its events are new, so it does not say so."""
    owner = url.startswith("postgresql")
    other = Journal.open(url, owner=False) if owner else journal
    sent = [taken(number) for number in range(60)]
    fresh: list[Event] = []

    def write(number: int) -> None:
        mine = sent if number % 2 else sent[::-1]
        for begin in range(0, 60, 6):
            chosen = journal if number % 2 else other
            fresh.extend(insist(chosen, mine[begin : begin + 6]))

    def insist(chosen: Journal, some: list[Event]) -> list[Event]:
        for _ in range(20):
            try:
                return chosen.append(some)
            except JournalUnavailable:
                continue
        raise AssertionError("never succeeded")

    in_threads(6, write)
    assert {each.event.id for each in journal.read.latest_events(100)} == {e.id for e in sent}
    assert len(fresh) == len({each.id for each in fresh})
    if other is not journal:
        other.close()


def group_rows(journal: Journal, group: GroupCommit, count: int) -> list[BaseException | None]:
    """Run jobs at once, each third of which fails; returns what each raised."""
    raised: list[BaseException | None] = [None] * count

    def run(number: int) -> None:
        def job(connection: Connection) -> None:
            row: dict[str, Any] = {"topic": "t", "subject": "", "source": "", "data": {}}
            row |= {"id": f"{number}", "time": START, "recorded_at": START}
            connection.execute(insert(events).values(**row))
            if number % 3 == 0:
                raise KeyError(number)

        try:
            group.run(job)
        except Exception as error:  # noqa: BLE001  told by the test
            raised[number] = error

    in_threads(count, run)
    return raised


def test_a_job_that_fails_harms_no_neighbour(journal: Journal):
    group = GroupCommit(journal._database.writing)
    raised = group_rows(journal, group, 32)
    for number, error in enumerate(raised):
        assert (error is not None) == (number % 3 == 0)
        assert error is None or error.args == (number,)
    ids = {each.event.id for each in journal.read.latest_events(100)}
    assert ids == {str(number) for number in range(32) if number % 3}


def test_without_the_database_every_caller_of_a_group_is_told(journal: Journal):
    entered = threading.Event()

    def away():
        entered.wait(5)
        raise JournalUnavailable("away")

    group = GroupCommit(away)
    raised: list[BaseException] = []

    def run(_number: int) -> None:
        try:
            group.run(lambda connection: None)
        except JournalUnavailable as error:
            raised.append(error)

    timer = threading.Timer(0.2, entered.set)
    timer.start()
    in_threads(32, run)
    timer.join()
    assert len({id(error) for error in raised}) == 32
    assert {str(error) for error in raised} == {"away"}


def test_calls_that_come_together_share_commits(journal: Journal):
    commits: list[int] = []
    event.listen(journal._database.engine, "commit", lambda connection: commits.append(1))
    in_threads(32, lambda number: [journal.append([taken(number * 10 + n)]) for n in range(5)])
    assert journal.read.newest_seq() == 160
    assert len(commits) < 120


def test_a_reader_waits_for_no_writer(journal: Journal):
    catalogue(journal, 1)
    with journal._database.writing() as connection:
        connection.execute(snapshots.update().values(state="analyzed"))
        began = time.monotonic()
        seen: list[str] = []
        thread = threading.Thread(target=lambda: seen.append(state(journal, taken(1))), daemon=True)
        thread.start()
        thread.join(5)
        assert seen == ["taken"]
        assert time.monotonic() - began < 1
    assert state(journal, taken(1)) == "analyzed"


# SQLite alone


@pytest.mark.promise("fault B1")
def test_sqlite_belongs_to_one_process_and_says_to_which(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/journal.db"
    first = Journal.open(url)
    with pytest.raises(ConfigError, match=f"in use by process {os.getpid()}.*PostgreSQL"):
        Journal.open(url)
    first.close()
    Journal.open(url).close()


@pytest.mark.promise("fault B1")
def test_a_locked_sqlite_file_is_waited_for_and_then_told(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("shared.journal.database.BUSY_S", 0.3)
    journal = Journal.open(f"sqlite:///{tmp_path}/journal.db")
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(JournalUnavailable, match="locked"):
        journal.append([taken(1)])
    other.execute("ROLLBACK")
    other.close()
    assert journal.append([taken(1)])
    journal.close()


def synchronous(database: Database) -> tuple[str, int]:
    with database.reading() as connection:
        mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
        return str(mode), int(connection.execute(text("PRAGMA synchronous")).scalar_one())


@pytest.mark.promise("fault X2")
def test_sqlite_syncs_every_commit(tmp_path: Path):
    journal = Journal.open(f"sqlite:///{tmp_path}/journal.db")
    assert synchronous(journal._database) == ("wal", 2)  # 2 is FULL
    journal.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("nonsense", "must be sqlite"),
        ("oracle9://u:hunter2-hunter2@h/d", "must be sqlite"),
        ("sqlite:////proc/nothing/journal.db", "can't be written"),
    ],
)
def test_an_address_that_can_not_be_used_is_a_mistake_of_the_configuration(url: str, says: str):
    with pytest.raises(ConfigError, match=says) as caught:
        Journal.open(url)
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).startswith("journal.url:")


# PostgreSQL alone


@pytest.mark.promise("fault B2")
def test_a_postgresql_that_restarts_is_told_and_then_used_again(
    postgres: PostgresServer, postgres_url: str
):
    journal = Journal.open(postgres_url)
    catalogue(journal, 1)
    postgres.stop()
    with pytest.raises(JournalUnavailable) as caught:
        journal.append([taken(2)])
    assert postgres.password not in str(caught.value)
    with pytest.raises(JournalUnavailable):
        journal.read.snapshots()
    postgres.start()
    assert eventually(lambda: journal.append([taken(2)]))
    assert len(journal.read.snapshots()) == 1
    journal.close()


@pytest.mark.promise("fault B2")
def test_a_postgresql_that_restarted_between_two_calls_is_not_noticed(
    postgres: PostgresServer, postgres_url: str
):
    """Its old connections are seen to be closed before they are used."""
    journal = Journal.open(postgres_url)
    with journal._database.reading(), journal._database.reading():
        pass
    postgres.stop()
    postgres.start()
    assert journal.append([taken(1)])
    assert journal.read.newest_seq() == 1
    journal.close()


@pytest.mark.promise("fault B2")
def test_a_postgresql_that_can_not_be_reached_tells_no_password(postgres: PostgresServer):
    address = f"127.0.0.1:{postgres.port}"
    for url in (
        f"postgresql://snapbus:hunter2-hunter2@{address}/none",
        "postgresql://snapbus:hunter2-hunter2@127.0.0.1:1/none",
        "postgresql://snapbus:hunter2-hunter2@nowhere.invalid/none",
    ):
        with pytest.raises(JournalUnavailable) as caught:
            Journal.open(url)
        chain: BaseException | None = caught.value
        while chain:
            assert "hunter2" not in str(chain)
            chain = chain.__cause__ or chain.__context__


@pytest.mark.promise("fault X2")
def test_postgresql_syncs_every_commit(postgres_url: str):
    journal = Journal.open(postgres_url)
    with journal._database.reading() as connection:
        assert connection.execute(text("show synchronous_commit")).scalar_one() == "on"
    journal.close()
