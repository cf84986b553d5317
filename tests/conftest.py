"""Fixtures for all tests: private servers (lazy), the test data, and the report of promises."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from services.detector.hush import hush
from shared.journal import Journal
from shared.store import Store
from tests.support import brand_table, promises, proofs
from tests.support.brand_table import shows as shows
from tests.support.making import Core, core, sqlite_journal
from tests.support.moto import MotoServer
from tests.support.moto import shared as shared_moto
from tests.support.postgres import PostgresServer
from tests.support.rabbit import RabbitServer
from tests.support.servers import ServerFailed, ServerMissing

# A busy machine is no reason for a red test.
hypothesis_settings.register_profile(
    "snapbus", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("snapbus")

hush()  # tests import what engines are made of, too


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the reports."""
    promises.add_option(parser)
    proofs.add_option(parser)
    brand_table.add_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Begin the reports that are asked for."""
    promises.watch(config)
    proofs.watch(config)
    brand_table.watch(config)


@pytest.fixture(scope="session")
def rabbit() -> Iterator[RabbitServer]:
    """A private RabbitMQ; stop, restart, kill and pause it as you like."""
    try:
        server = RabbitServer()
        server.start()
    except (ServerMissing, ServerFailed) as error:
        pytest.fail(str(error))
    with contextlib.closing(server):
        yield server


@pytest.fixture
def amqp_url(rabbit: RabbitServer) -> Iterator[str]:
    """The address of a fresh virtual host on a running RabbitMQ."""
    rabbit.resume()
    rabbit.start()
    vhost = rabbit.add_vhost()
    yield rabbit.url(vhost)
    rabbit.resume()
    rabbit.start()
    rabbit.remove_vhost(vhost)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A private PostgreSQL; stop, restart and kill it as you like."""
    try:
        server = PostgresServer()
        server.start()
    except (ServerMissing, ServerFailed) as error:
        pytest.fail(str(error))
    with contextlib.closing(server):
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The SQLAlchemy address of a fresh database on a running PostgreSQL."""
    postgres.start()
    name = postgres.add_database()
    yield postgres.url(name)
    postgres.start()
    postgres.remove_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/journal.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """A database with the tables of the journal, to be copied: making them takes much longer."""
    name = postgres.add_database()
    Journal.open(postgres.url(name)).close()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def journal_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind with the tables of the journal."""
    if request.param == "sqlite":
        sqlite_journal(tmp_path / "journal.db").close()
        yield f"sqlite:///{tmp_path}/journal.db"
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    postgres.start()
    name = postgres.add_database(request.getfixturevalue("postgres_template"))
    yield postgres.url(name)
    postgres.start()
    postgres.remove_database(name)


@pytest.fixture(scope="session")
def moto() -> MotoServer:
    """A private S3 of moto; give each test buckets of its own."""
    return shared_moto()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    store = Store(tmp_path / "store")
    store.create()
    return store


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Core]:
    """A store, a journal and an intake."""
    with contextlib.closing(core(tmp_path)) as here:
        yield here


@pytest.fixture
def unlogged() -> Iterator[None]:
    """Keeps the log out of the report: it would be endless, or holds what nobody can print."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real photographs and weights, which the repository can't hold."""
    folder = os.environ.get("SNAPBUS_TEST_DATA")
    if not folder:
        pytest.skip("SNAPBUS_TEST_DATA names no folder with photographs and weights")
    return Path(folder)
