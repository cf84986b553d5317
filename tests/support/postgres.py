"""A private PostgreSQL for tests, on a free port of the loopback, with a database per test."""

from __future__ import annotations

import atexit
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from tests.support.ports import free_port
from tests.support.servers import (
    ServerFailed,
    find_program,
    kill_family,
    wait_until_ready,
)

START_SECONDS = 60


class PostgresServer:
    """One cluster in a temporary folder; `durable` keeps fsync on, for measurements."""

    user = "snapbus"

    def __init__(self, *, durable: bool = False) -> None:
        folders = ("usr/lib/postgresql/*/bin", "usr/local/pgsql/bin")
        self._bin = find_program("initdb", folders, "postgresql").parent
        self.root = Path(tempfile.mkdtemp(prefix="snapbus-postgres-"))
        self.port = free_port()
        self.password = secrets.token_hex(8)
        self._owner = self._find_owner()
        if self._owner:
            os.chown(self.root, self._owner.pw_uid, self._owner.pw_gid)
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)
        self._initdb()

    @property
    def leader(self) -> int:
        """The process that leads the server's session."""
        assert self._process is not None
        return self._process.pid

    @property
    def programs(self) -> Path:
        """The folder of its programs, such as psql."""
        return self._bin

    @staticmethod
    def _find_owner() -> pwd.struct_passwd | None:
        # PostgreSQL refuses to run as root.
        if os.geteuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                return pwd.getpwnam(name)
        raise ServerFailed("there is neither a user postgres nor nobody to run PostgreSQL as")

    def _spawn(self, *command: str) -> subprocess.Popen[bytes]:
        owner = self._owner
        with (self.root / "output").open("ab") as output:
            return subprocess.Popen(
                command,
                cwd=self.root,
                env=os.environ | {"HOME": str(self.root), "LC_ALL": "C.UTF-8"},
                user=owner.pw_uid if owner else None,
                group=owner.pw_gid if owner else None,
                extra_groups=[] if owner else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _initdb(self) -> None:
        secret = self.root / "password"
        secret.write_text(self.password)
        if self._owner:
            os.chown(secret, self._owner.pw_uid, self._owner.pw_gid)
        flags = ["--no-sync", "--auth=scram-sha-256", "--encoding=UTF8", f"--pwfile={secret}"]
        initdb = str(self._bin / "initdb")
        done = self._spawn(initdb, *flags, f"--username={self.user}", str(self.root / "data"))
        if done.wait(START_SECONDS) != 0:
            raise ServerFailed((self.root / "output").read_text()[-2000:])

    def start(self) -> None:
        """Start the server, or do nothing when it runs; returns once it takes connections."""
        if self._process is not None and self._process.poll() is None:
            return
        options = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.root),
            "fsync": "on" if self._durable else "off",
            "shared_buffers": "32MB",
            "max_connections": "60",
        }
        flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        program = str(self._bin / "postgres")
        self._process = self._spawn(program, "-D", str(self.root / "data"), *flags)
        wait_until_ready(self._is_ready, self._process, self.root / "output", START_SECONDS)

    def _is_ready(self) -> bool:
        import psycopg

        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            psycopg.connect(self._dsn("postgres"), connect_timeout=3).close()
        except (OSError, psycopg.OperationalError):
            return False
        return True

    def stop(self) -> None:
        """Stop it in order; open sessions are cut."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def kill(self) -> None:
        """Let all its processes die at once, without a word."""
        if self._process is not None:
            kill_family(self._process.pid)
            self._process.wait(10)
        self._process = None

    def restart(self) -> None:
        """Stop it in order and start it again on the same port with the same data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End it and remove its folder; at the latest when Python ends."""
        atexit.unregister(self.close)
        self.kill()
        shutil.rmtree(self.root, ignore_errors=True)

    def _dsn(self, database: str) -> str:
        return f"postgresql://{self.user}:{self.password}@127.0.0.1:{self.port}/{database}"

    def url(self, database: str) -> str:
        """The address of a database, as SQLAlchemy reads it."""
        return self._dsn(database).replace("postgresql:", "postgresql+psycopg:")

    def _execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self._dsn("postgres"), autocommit=True, connect_timeout=10) as link:
            link.execute(statement.encode())

    def add_database(self, template: str = "template0") -> str:
        """A fresh database, empty or as one that nobody is connected to; returns its name."""
        name = f"t{secrets.token_hex(4)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def remove_database(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
