"""Migrations that are interrupted, and tables of a version to come."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from contextlib import closing, suppress
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, text

import services.drive.archives.google.tables  # noqa: F401  its tables are compared too
import shared.access.tables
import shared.paid.tables  # noqa: F401  its tables are compared too
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


def at_revision(url: str, revision: str) -> Engine:
    """A database with the tables of an earlier version."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return engine


OLD = """
INSERT INTO snapshots (id, dedupe_key, camera, door, name, sha256, size, media_type, captured_at,
  captured_by, received_at, state, analysis, archive)
VALUES (:id, :id, 'porch', 'ftp', 'a.jpg', :id, 1, 'image/jpeg', '2026-03-01 12:00:00', 'arrival',
  '2026-03-01 12:00:00', :state, :analysis, :archive)
"""


@pytest.mark.promise("feat H17")
def test_results_of_an_earlier_version_are_found_in_their_tables(database_url: str):
    analysis = json.dumps({"camera": "porch", "analyzed": True, "model": "yolov8n"})
    filed = json.dumps({"camera": "porch", "archive": "folder", "path": "2026/03/01/a.jpg"})
    rows: list[dict[str, str | None]] = [
        {"id": "1" * 26, "state": "archived", "analysis": analysis, "archive": filed},
        {"id": "2" * 26, "state": "skipped", "analysis": analysis, "archive": '{"policy": "off"}'},
        {"id": "3" * 26, "state": "taken", "analysis": None, "archive": None},
    ]
    rows += [
        {"id": f"{number:026d}", "state": "archived", "analysis": analysis, "archive": filed}
        for number in range(1500)
    ]
    engine = at_revision(database_url, "0001")
    with engine.begin() as connection:
        connection.execute(text(OLD), rows)
        connection.execute(
            text(
                "INSERT INTO work (service, event_id, status, attempts, updated_at)"
                " VALUES ('drive', 'e1', 'retry', 3, '2026-03-01 12:00:00')"
            )
        )
    engine.dispose()

    with closing(Journal.open(database_url)) as journal:
        found = journal.read.snapshots_of(["1" * 26, "2" * 26, "3" * 26])
        one, two, three = found["1" * 26], found["2" * 26], found["3" * 26]
        assert (one.analyses[0].analyzer, one.analyses[0].data["model"]) == ("detector", "yolov8n")
        assert (one.filings[0].archive, one.filings[0].path) == ("folder", "2026/03/01/a.jpg")
        assert (one.filings[0].kind, one.filings[0].sha256) == ("original", "1" * 26)
        assert (two.filings[0].state, two.filings[0].policy) == ("skipped", "off")
        assert (three.analyses, three.filings, three.organisation) == ((), (), "default")
        assert sum(len(each.filed) for each in journal.audit.catalogue()) == 1501
        assert journal.audit.missing_keys() == []
        assert journal.manifests.open_days("folder") == ["2026-03-01"]
        assert len(journal.manifests.held("folder", "2026-03-01")) == 1501
        with journal._database.reading() as connection:
            kept = connection.execute(text("SELECT attempts, organisation FROM work")).one()
        assert tuple(kept) == (3, "default")


@pytest.mark.promise("feat H17", "find D13")
def test_people_in_results_of_an_earlier_version_are_counted(database_url: str):
    def result(number: int, *confidences: float, analyzed: bool = True) -> dict[str, Any]:
        found = [
            {"label": "person", "confidence": each, "box": [0, 0, 1, 1]} for each in confidences
        ]
        data = {"camera": "porch", "analyzed": analyzed, "detections": found}
        return {"id": f"{number:026d}", "data": json.dumps(data)}

    engine = at_revision(database_url, "0004")
    rows = [result(1, 0.9, 0.8, 0.5), result(2, 0.79), result(3, analyzed=False)]
    rows += [result(number, 0.9) for number in range(4, 1500)]
    old = OLD.replace(", analysis, archive)", ")").replace(", :analysis, :archive)", ")")
    insert = "INSERT INTO analyses (snapshot_id, analyzer, data) VALUES (:id, 'detector', :data)"
    with engine.begin() as connection:
        connection.execute(text(old), [{"id": each["id"], "state": "analyzed"} for each in rows])
        connection.execute(text(insert), rows)
    engine.dispose()

    with closing(Journal.open(database_url)) as journal:
        found = journal.read.snapshots_of([each["id"] for each in rows])
    assert [found[each["id"]].person_count for each in rows[:3]] == [2, 0, None]
    assert all(found[each["id"]].person_count == 1 for each in rows[3:])
