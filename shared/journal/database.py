"""Opens the database, SQLite or PostgreSQL, and translates its errors.

Writers on SQLite take turns at a lock of the process, since SQLite makes them wait by sleeping.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    NotSupportedError,
    ProgrammingError,
    TimeoutError,
)

from shared.errors import ConfigError, JournalUnavailable, SnapbusError
from shared.journal import sqlite_file
from shared.journal.connections import begin, refuse_closed

BUSY_S = 5.0
MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 7_301_001
"""Key of the PostgreSQL advisory lock that lets one process migrate at a time."""
_HOPELESS = (DataError, IntegrityError, ProgrammingError, NotSupportedError)
"""What no waiting helps: the caller's rows or our statements are wrong."""
_CONFLICTS = ("40001", "40P01")
"""SQLSTATEs of transactions that failed because of one another."""
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Conflict(JournalUnavailable):
    """Two transactions got into each other's way; the same one will succeed when repeated."""


class Database:
    """Transactions on one database. Any thread."""

    def __init__(self, url: str, *, owner: bool = True, page: str = "") -> None:
        try:
            parsed = make_url(url)
            if parsed.drivername in ("postgresql", "postgres"):
                parsed = parsed.set(drivername="postgresql+psycopg")
            self.is_sqlite = parsed.get_backend_name() == "sqlite"
            self._lock_file: IO[str] | None = None
            if self.is_sqlite:
                self._lock_file = sqlite_file.claim(parsed.database, owner=owner, page=page)
            self._writer = threading.RLock() if self.is_sqlite else nullcontext()
            self.engine = self._engine(parsed)
            self._driver: Any = self.engine.dialect.loaded_dbapi
            self.obstacle: SnapbusError | None = None
            """What every transaction raises, but those that prepare the database."""
            self._damage: JournalUnavailable | None = None
        except (ArgumentError, NoSuchModuleError) as error:
            raise ConfigError(
                "journal.url: must be sqlite:////path or postgresql://user:password@host/database"
            ) from error

    def _engine(self, url: Any) -> Engine:
        if not self.is_sqlite:
            engine = create_engine(
                url,
                pool_size=8,
                max_overflow=8,
                pool_timeout=BUSY_S,
                hide_parameters=True,
                isolation_level="AUTOCOMMIT",  # we say BEGIN ourselves, see begin
                use_native_hstore=False,  # a type we have not, which it asks for in a transaction
                connect_args={
                    "connect_timeout": int(BUSY_S),
                    "keepalives_idle": 10,
                    "keepalives_interval": 3,
                    "keepalives_count": 3,
                    "tcp_user_timeout": 10_000,
                    "options": "-c statement_timeout=30000 -c lock_timeout=5000 -c timezone=UTC",
                },
            )
            event.listen(engine, "checkout", refuse_closed)
            event.listen(engine, "begin", begin)
            return engine
        engine = create_engine(
            url, pool_size=8, max_overflow=8, pool_timeout=BUSY_S, hide_parameters=True
        )
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", begin)
        return engine

    def migrate(self) -> None:
        """Bring the tables up to this version. Raises JournalUnavailable."""
        with self.writing(preparing=True) as connection:
            if not self.is_sqlite:
                connection.execute(text(f"select pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            if _revision(connection) != newest_revision():
                _upgrade(connection)

    def check(self) -> None:
        """Raise ConfigError when the tables are not there. Raises JournalUnavailable."""
        with self.reading() as connection:
            if not inspect(connection).has_table("events"):
                raise ConfigError("journal.url: there are no tables yet; start Snapbus first")

    def check_file(self) -> None:
        """Read all of an SQLite file; takes a second per gigabyte, or many from a slow disk. Raises
        JournalUnavailable when it is damaged; and so does all else from then on, because what is
        written to a damaged file makes it worse."""
        if not self.is_sqlite:
            return
        with self.reading() as connection:
            told = connection.execute(text("PRAGMA quick_check(20)")).scalars().all()
        # A page that nobody uses is a loss of space and of nothing else.
        wrong = [each for each in told if each != "ok" and "never used" not in each]
        if wrong:
            raise self._damaged(" ".join(wrong[0].split()))

    def _damaged(self, what: str) -> JournalUnavailable:
        self._damage = JournalUnavailable(
            f"the database is damaged ({what}): stop Snapbus, restore the file from a backup or "
            "with sqlite3's .recover, start, and run the doctor"
        )
        return self._damage

    @contextmanager
    def writing(self, *, preparing: bool = False) -> Iterator[Connection]:
        """One transaction that writes; committed at the end. Raises JournalUnavailable."""
        self._check(preparing=preparing)
        with self._writer, self._translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def batch(self) -> Iterator[Connection]:
        """As ``writing``. PostgreSQL gets the statements without answering each: it is waited for
        where a result is fetched, and at the end; what is wrong with one is raised there."""
        if self.is_sqlite:
            with self.writing() as connection:
                yield connection
            return
        self._check()
        with self._translated(), self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            with driver.pipeline():
                connection.begin()
                yield connection
                # The driver's own commit does nothing here: it knows of no transaction before all
                # is answered.
                connection.exec_driver_sql("COMMIT")
            connection.commit()  # to SQLAlchemy, which would else roll back

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that only reads; it waits for no writer. Raises JournalUnavailable."""
        self._check()
        with self._translated(), self.engine.connect() as connection:
            connection = connection.execution_options(snapbus_reads=True)
            yield connection

    def _check(self, *, preparing: bool = False) -> None:
        obstacle = self._damage or (None if preparing else self.obstacle)
        if obstacle:
            raise obstacle

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise JournalUnavailable("no free connection to the database") from error
        except DBAPIError as error:
            if isinstance(error, _HOPELESS):
                raise
            raise self._told(error.orig) from error
        except self._driver.Error as error:  # of Prepared.fetch, see statements.py
            if isinstance(error, tuple(getattr(self._driver, each.__name__) for each in _HOPELESS)):
                raise
            raise self._told(error) from error

    def _told(self, error: Any) -> JournalUnavailable:
        # The driver's text may name the host and the user, never the password.
        reason = str(error).strip().splitlines()
        text = reason[0] if reason else type(error).__name__
        if getattr(error, "sqlstate", None) in _CONFLICTS:
            return Conflict(text)
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            return self._damaged(text)
        return JournalUnavailable(text)

    def close(self) -> None:
        """Close all connections and release the lock file."""
        self.engine.dispose()
        if self._lock_file:
            self._lock_file.close()
            self._lock_file = None


def newest_revision() -> str:
    """The revision that the tables of this version have."""
    return max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("select version_num from alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    # Here, because it takes a third of a second and 8 MB, and is hardly ever needed.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigError(
            f"journal.url: its tables are of another version of Snapbus, probably a newer "
            f"one ({error}). Start that version, or restore a backup of before."
        ) from error


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see begin
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={int(BUSY_S * 1000)}")
    cursor.close()
