"""The journal with many threads at once: nothing is lost, and commits are shared."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select

from shared.errors import JournalUnavailable
from shared.events import Event
from shared.journal import Journal
from shared.journal.group_commit import GroupCommit
from shared.journal.schema import events, snapshots, work
from tests.support.making import START, analyzed, taken
from tests.support.recording import catalogue, in_threads, state


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
def test_threads_that_write_the_same_events_in_other_orders_all_succeed(
    journal_url: str, journal: Journal
):
    """On PostgreSQL two processes would lock each other out; one has to be tried again. Whoever
    waited too long for that can't know that its events are new, so it does not say so."""
    several = journal_url.startswith("postgresql")
    other = Journal.open(journal_url, owner=False) if several else journal
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
        entered.wait(30)
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
        seen: list[str] = []
        thread = threading.Thread(target=lambda: seen.append(state(journal, taken(1))), daemon=True)
        thread.start()
        thread.join(30)
        assert seen == ["taken"]  # although the other has not committed
    assert state(journal, taken(1)) == "analyzed"
