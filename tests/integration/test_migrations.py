"""Migrations that are interrupted, and tables of a version to come."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from contextlib import closing, suppress
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, text

from shared.errors import ConfigError, JournalUnavailable
from shared.journal import Journal
from shared.journal.database import MIGRATIONS, newest_revision
from shared.journal.schema import metadata
from tests.support.fakes import eventually
from tests.support.making import taken
from tests.support.system import ROOT


def die_at(database_url: str, words: str) -> None:
    """Open the journal in a process that ends where a statement with these words has been run."""

    @event.listens_for(Engine, "after_cursor_execute")
    def _look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if words in statement:
            os.kill(os.getpid(), signal.SIGKILL)

    Journal.open(database_url)


def opened(database_url: str) -> Journal | None:
    with suppress(JournalUnavailable):  # PostgreSQL may not have noticed yet that somebody died
        return Journal.open(database_url)
    return None


@pytest.mark.promise("feat H17")
@pytest.mark.promise("fault B3")
@pytest.mark.parametrize(
    "words", ["CREATE TABLE work", "CREATE INDEX snapshots_in_state", "INSERT INTO alembic_version"]
)
def test_a_migration_that_was_killed_is_run_again_from_its_beginning(database_url: str, words: str):
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=die_at, args=(database_url, words))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL

    journal = eventually(lambda: opened(database_url))

    assert journal
    with closing(journal), journal._database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert journal.append([taken(1)])


@pytest.mark.promise("fault B3")
def test_tables_of_a_newer_version_are_left_alone_and_told(database_url: str):
    with closing(Journal.open(database_url)) as journal:
        journal.append([taken(1)])
        with journal._database.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConfigError, match=r"another version of Snapbus.*newer"):
        Journal.open(database_url)

    with closing(Journal.open(database_url, owner=False)) as journal:
        assert journal.read.newest_seq() == 1


def test_tables_that_are_up_to_date_cost_no_migration(database_url: str):
    script = ScriptDirectory(str(MIGRATIONS))
    assert newest_revision() == script.get_current_head()
    Journal.open(database_url).close()

    opening = "import sys; from shared.journal import Journal; Journal.open(sys.argv[1]).close()"
    command = [sys.executable, "-c", f"{opening}; print('alembic' in sys.modules)", database_url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
