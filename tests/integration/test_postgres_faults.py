"""PostgreSQL behind a link that breaks at the worst moment, read-only, locked or overcrowded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from shared.errors import JournalUnavailable
from shared.events import now
from shared.journal import Journal
from shared.journal import database as database_module
from tests.support.fakes import eventually
from tests.support.making import START, analyzed, taken
from tests.support.postgres import PostgresServer
from tests.support.processes import Process
from tests.support.proxy import Proxy


@pytest.fixture
def link(postgres: PostgresServer) -> Iterator[Proxy]:
    with contextlib.closing(Proxy(postgres.port)) as proxy:
        yield proxy


@pytest.fixture
def far_url(postgres: PostgresServer, postgres_url: str, link: Proxy) -> str:
    """The database behind the link."""
    return postgres_url.replace(f":{postgres.port}/", f":{link.port}/")


@pytest.fixture
def journal(far_url: str) -> Iterator[Journal]:
    with contextlib.closing(Journal.open(far_url)) as journal:
        yield journal


@contextlib.contextmanager
def session(url: str) -> Iterator[psycopg.Connection]:
    """Somebody else in the same database."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as other:
        yield other


DELIVERED = pytest.mark.parametrize("delivered", [True, False])
"""Whether PostgreSQL heard the COMMIT: who asked can't tell."""


@pytest.mark.promise("fault B2", "inv I1", "inv I4")
@DELIVERED
def test_a_picture_whose_commit_got_no_answer_is_catalogued_once(
    journal: Journal, link: Proxy, delivered: bool
):
    first, second = taken(1), taken(2)
    link.break_at(b"COMMIT", delivered=delivered)
    with pytest.raises(JournalUnavailable):
        journal.record_snapshot(first, ["key"], repeats_since=START)
    assert journal.read.newest_seq() == (1 if delivered else 0)

    again = journal.record_snapshot(second, ["key"], repeats_since=START)

    assert again == (first.snapshot_id, True) if delivered else (second.snapshot_id, False)
    assert len(journal.read.snapshots()) == len(journal.read.latest_events(10)) == 1


@pytest.mark.promise("fault B2", "inv I8")
@DELIVERED
def test_a_result_whose_commit_got_no_answer_is_there_once_and_published_later(
    journal: Journal, link: Proxy, delivered: bool
):
    cause = taken(1)
    journal.append([cause])
    seen = analyzed(cause, "cat")
    link.break_at(b"COMMIT", delivered=delivered)
    with pytest.raises(JournalUnavailable):
        journal.finish("detector", cause, [seen])
    assert journal.begin("detector", cause, redelivered=False).done == delivered

    journal.finish("detector", cause, [seen])

    assert journal.begin("detector", cause, redelivered=False).done
    assert [each.event.topic for each in journal.read.story(cause.snapshot_id or "")] == [
        "snapshot.taken",
        "snapshot.analyzed",
    ]
    assert seen in journal.recovery.unpublished(now(), 10)


@pytest.mark.promise("fault B2", "inv I1", "inv I6", "inv I8")
def test_commits_without_an_answer_lose_nothing_and_do_nothing_twice(
    tmp_path: Path, far_url: str, amqp_url: str, link: Proxy
):
    served = Process(tmp_path, journal={"url": far_url}, broker={"url": amqp_url})
    served.start().ready()
    try:
        for number in range(12):
            link.break_at(b"COMMIT", delivered=number % 2 == 0)
            served.send(number)
            served.taken()
        served.all_filed(12)
        assert served.stop() < 10
    finally:
        served.kill()


@pytest.mark.promise("fault B2")
def test_a_database_that_takes_no_writes_is_away_until_it_does(
    journal: Journal, postgres: PostgresServer
):
    journal.append([taken(1)])
    postgres._execute("ALTER SYSTEM SET default_transaction_read_only = on")
    postgres._execute("SELECT pg_reload_conf()")

    def refused() -> bool:
        try:
            journal.append([taken(len(journal.read.latest_events(1000)) + 1)])
        except JournalUnavailable as error:
            return "read-only" in str(error)
        return False

    try:
        eventually(refused)
    finally:
        postgres._execute("ALTER SYSTEM RESET default_transaction_read_only")
        postgres._execute("SELECT pg_reload_conf()")
    before = journal.read.newest_seq()

    def accepted() -> bool:
        with contextlib.suppress(JournalUnavailable):
            return bool(journal.append([taken(5000)]))
        return False

    eventually(accepted)
    assert journal.read.newest_seq() > before


@pytest.mark.promise("fault B2")
def test_without_a_free_connection_the_caller_is_told_and_served_later(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database_module, "BUSY_S", 1.0)
    with contextlib.closing(Journal.open(postgres_url)) as journal:
        with contextlib.ExitStack() as others:
            for _ in range(16):
                others.enter_context(journal._database.reading())
            with pytest.raises(JournalUnavailable, match="no free connection"):
                journal.append([taken(1)])
        assert journal.append([taken(1)])


@pytest.mark.promise("fault B2")
def test_a_server_without_room_is_away_until_others_leave(postgres_url: str):
    with contextlib.closing(Journal.open(postgres_url)) as journal:
        journal._database.engine.dispose()
        with contextlib.ExitStack() as others:
            with contextlib.suppress(psycopg.OperationalError):
                while True:
                    others.enter_context(session(postgres_url))
            with pytest.raises(JournalUnavailable, match=r"too many|slots"):
                journal.append([taken(1)])
        eventually(lambda: journal.append([taken(1)]))


@pytest.mark.promise("fault B2")
def test_nobody_waits_for_ever_for_a_transaction_that_somebody_left_open(
    journal: Journal, postgres_url: str
):
    """Five seconds: so long PostgreSQL waits for a lock for us."""
    event = taken(1)
    journal.append([event])
    journal.begin("drive", event, redelivered=True)
    with session(postgres_url) as other:
        other.execute("BEGIN")
        other.execute("UPDATE work SET attempts = 9")
        with pytest.raises(JournalUnavailable, match="lock timeout"):
            journal.begin("drive", event, redelivered=True)
        other.execute("ROLLBACK")
    assert journal.begin("drive", event, redelivered=True).attempts == 2


@pytest.mark.promise("fault B2")
def test_a_statement_that_takes_too_long_is_ended_and_told(journal: Journal):
    with journal._database.reading() as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "30s"
    with (
        pytest.raises(JournalUnavailable, match="statement timeout"),
        journal._database.writing() as connection,
    ):
        connection.execute(text("SET LOCAL statement_timeout = 50"))
        connection.execute(text("SELECT pg_sleep(20)"))
    assert journal.append([taken(1)])
