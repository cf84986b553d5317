"""The account of Snapbus on the PostgreSQL of Compose: enough for all it does, and no superuser."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shared.journal import Journal
from tests.support.making import taken
from tests.support.postgres import PostgresServer

SCRIPT = Path(__file__).parents[2] / "config" / "postgres.sh"
WORD = 'it\'s a "word"'


class Fresh(PostgresServer):
    """As the image of PostgreSQL makes one."""

    user = "postgres"


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with closing(Fresh()) as server:
        server.start()
        told = {"HOST": str(server.root), "PORT": str(server.port), "PASSWORD": server.password}
        image = {"POSTGRES_USER": server.user, "POSTGRES_PASSWORD": WORD}
        programs = {"PATH": f"{server.programs}:{os.environ['PATH']}"}
        env = {f"PG{name}": value for name, value in told.items()} | image | programs
        subprocess.run(["bash", "-e", str(SCRIPT)], env=env, check=True)
        yield server


def connected(server: PostgresServer, user: str, password: str) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host="127.0.0.1",
        port=server.port,
        dbname="snapbus" if user == "snapbus" else "postgres",
        user=user,
        password=password,
        autocommit=True,
        connect_timeout=10,
    )


@pytest.mark.promise("sec A11")
def test_snapbus_owns_its_database_and_is_no_superuser(server: PostgresServer):
    with connected(server, "snapbus", WORD) as link:
        assert link.execute("SHOW is_superuser").fetchone() == ("off",)
        for forbidden in (
            "CREATE ROLE other SUPERUSER",
            "CREATE DATABASE other",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "SELECT pg_read_file('/etc/passwd')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                link.execute(forbidden)
    with pytest.raises(psycopg.OperationalError):  # from the network nobody is superuser
        connected(server, "postgres", server.password)


def test_it_is_enough_for_the_journal(server: PostgresServer):
    with connected(server, "snapbus", WORD) as link:
        link.execute("ALTER ROLE snapbus PASSWORD 'plain'")
    url = f"postgresql+psycopg://snapbus:plain@127.0.0.1:{server.port}/snapbus"
    with closing(Journal.open(url)) as journal:
        journal.append([taken(1)])
        assert [each.event.topic for each in journal.read.story(taken(1).snapshot_id or "")]
