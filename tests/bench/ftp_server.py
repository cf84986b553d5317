"""One FTP server for the measurement.

`bare` is the library alone; `synced` the library with the shortest code that answers only after
sync and commit, in its own thread; `least` the same, which also checks and hashes the picture: the
least that the promise asks for; `product` the ftp service.
"""

from __future__ import annotations

import hashlib
import logging
import mmap
import os
import signal
import sqlite3
import sys
import threading
import warnings
from dataclasses import replace
from pathlib import Path

from services.ftp.app import ServerSource, build
from shared.ingest.intake import Intake
from shared.picture.format import check_complete
from shared.stop import Stop
from tests.support.making import core

PASSWORD = "benchmark"


def main() -> None:
    kind, folder = sys.argv[1], Path(sys.argv[2])
    stop = Stop()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger().setLevel(logging.WARNING)
    product(folder, stop) if kind == "product" else library(folder, stop, kind)


def say(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def library(folder: Path, stop: Stop, kind: str) -> None:
    """pyftpdlib as its tutorial has it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from pyftpdlib.authorizers import DummyAuthorizer
        from pyftpdlib.handlers import DTPHandler, FTPHandler
        from pyftpdlib.servers import FTPServer

    authorizer = DummyAuthorizer()
    authorizer.add_user("cam", PASSWORD, str(folder), perm="elradfmw")
    FTPHandler.authorizer = authorizer
    journal = sqlite3.connect(folder / "journal.db", isolation_level=None)
    journal.execute("PRAGMA journal_mode=WAL")
    journal.execute("PRAGMA synchronous=FULL")
    journal.execute("CREATE TABLE pictures (name TEXT PRIMARY KEY, size INTEGER)")

    class Synced(DTPHandler):
        def handle_close(self) -> None:
            if self.receive and self.file_obj is not None:
                self.file_obj.flush()
                key = self.file_obj.name
                if kind == "least":
                    key += checked(Path(key))
                os.fsync(self.file_obj.fileno())
                parent = os.open(folder, os.O_RDONLY)
                os.fsync(parent)
                os.close(parent)
                row = (key, self.tot_bytes_received)
                journal.execute("INSERT INTO pictures VALUES (?, ?)", row)
            super().handle_close()

    FTPHandler.dtp_handler = DTPHandler if kind == "bare" else Synced
    server = FTPServer(("127.0.0.1", 0), FTPHandler)
    say(server.address[1])
    while not stop.is_set():
        server.serve_forever(timeout=0.2, blocking=False, handle_exit=False)
    server.close_all()
    journal.close()


def checked(path: Path) -> str:
    """The hash of a whole picture."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        check_complete(data)
        return hashlib.sha256(data).hexdigest()


def product(folder: Path, stop: Stop) -> None:
    """The ftp service with a store and a SQLite journal on the same disk."""
    section = {
        "host": "127.0.0.1",
        "port": 0,
        "passive_ports": "",
        "max_connections_per_ip": 128,
    }
    tree = {"cameras": {"cam": {"ftp": {"password": PASSWORD}}}, "ftp": section}
    behind = core(folder, tree)
    intake = Intake(behind.store, behind.journal, lambda _events: None, max_bytes=10_000_000)
    (source,) = build(replace(behind.parts, intake=intake)).sources
    assert isinstance(source, ServerSource)
    server = source.server
    thread = threading.Thread(target=server.run, args=(stop,), name="ftp", daemon=True)
    thread.start()
    server.ready.wait()
    say(server.port)
    while thread.is_alive():
        thread.join(0.2)
    behind.journal.close()


if __name__ == "__main__":
    main()
