"""The databases below the journal: their tables, whose they are, and how each kind fails."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

import services.drive.archives.google.tables  # noqa: F401  its tables are compared too
import shared.access.tables
import shared.paid.tables  # noqa: F401
from shared.errors import ConfigError, JournalUnavailable
from shared.journal import Journal
from shared.journal.database import Database
from shared.journal.schema import metadata
from tests.support.fakes import eventually
from tests.support.making import taken
from tests.support.postgres import PostgresServer
from tests.support.recording import catalogue, state


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


def test_opening_again_keeps_everything(database_url: str):
    for number in range(2):
        journal = Journal.open(database_url)
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


def test_a_tool_makes_no_journal(database_url: str):
    for _ in range(2):
        with pytest.raises(ConfigError, match="start Snapbus first"):
            Journal.open(database_url, owner=False)


def test_a_tool_works_beside_a_running_process(journal_url: str, journal: Journal):
    first = catalogue(journal)
    tool = Journal.open(journal_url, owner=False)
    assert state(tool, first) == "taken"
    tool.append([taken(5)])
    tool.close()
    assert journal.read.newest_seq() == 2


@pytest.mark.promise("fault B1")
def test_sqlite_belongs_to_one_process_and_says_to_which(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/journal.db"
    first = Journal.open(url)
    with pytest.raises(ConfigError, match=f"runs already on .*: process {os.getpid()}.*PostgreSQL"):
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
