"""One FTP server for the measurement.

`bare` is the library alone; `synced` the library with the shortest code that answers only after
sync and commit, in its own thread; `product` the ftp service.
"""

from __future__ import annotations

import logging
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
from tests.support.making import core

PASSWORD = "benchmark"


def main() -> None:
    kind, folder = sys.argv[1], Path(sys.argv[2])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger().setLevel(logging.WARNING)
    product(folder, stop) if kind == "product" else library(folder, stop, synced=kind == "synced")


def say(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def library(folder: Path, stop: threading.Event, *, synced: bool) -> None:
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
                os.fsync(self.file_obj.fileno())
                parent = os.open(folder, os.O_RDONLY)
                os.fsync(parent)
                os.close(parent)
                row = (self.file_obj.name, self.tot_bytes_received)
                journal.execute("INSERT INTO pictures VALUES (?, ?)", row)
            super().handle_close()

    FTPHandler.dtp_handler = Synced if synced else DTPHandler
    server = FTPServer(("127.0.0.1", 0), FTPHandler)
    say(server.address[1])
    while not stop.is_set():
        server.serve_forever(timeout=0.2, blocking=False, handle_exit=False)
    server.close_all()
    journal.close()


def product(folder: Path, stop: threading.Event) -> None:
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
