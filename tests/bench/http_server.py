"""One HTTP server for the measurement.

`bare` is FastAPI as its tutorial has it, with the shortest code that answers only after sync and
commit: each picture in a thread, a row for each. `least` also checks and hashes the picture: the
least that the promise asks for. `product` is the api service.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import signal
import socket
import sqlite3
import sys
import threading
from dataclasses import replace
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool

from services.api.app import build
from services.api.server import HttpServer
from shared.access import Access, Actor
from shared.ingest.intake import Intake
from shared.picture.format import check_complete
from shared.stop import Stop
from tests.support.fakes import eventually
from tests.support.making import core


def main() -> None:
    kind, folder = sys.argv[1], Path(sys.argv[2])
    stop = Stop()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger().setLevel(logging.WARNING)
    product(folder, stop) if kind == "product" else bare(folder, stop, kind)


def say(port: int, key: str) -> None:
    sys.stdout.write(f"{port} {key}\n")
    sys.stdout.flush()


def bare(folder: Path, stop: Stop, kind: str) -> None:
    """FastAPI and uvicorn, and nothing else."""
    journal = sqlite3.connect(folder / "journal.db", isolation_level=None, check_same_thread=False)
    journal.execute("PRAGMA journal_mode=WAL")
    journal.execute("PRAGMA synchronous=FULL")
    journal.execute("CREATE TABLE pictures (name TEXT PRIMARY KEY, size INTEGER)")
    one_at_a_time = threading.Lock()

    def store(name: str, data: bytes) -> None:
        path = folder / name
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        parent = os.open(folder, os.O_RDONLY)
        os.fsync(parent)
        os.close(parent)
        key = name
        if kind == "least":
            check_complete(data)
            key += hashlib.sha256(data).hexdigest()
        with one_at_a_time:
            journal.execute("INSERT INTO pictures VALUES (?, ?)", (key, len(data)))

    app = FastAPI()

    @app.put("/v1/cameras/{camera}/snapshots/{name}", status_code=201)
    async def take(camera: str, name: str, request: Request) -> dict[str, str]:
        data = await request.body()
        await run_in_threadpool(store, name, data)
        return {"id": name, "camera": camera}

    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    listener = socket.create_server(("127.0.0.1", 0))
    say(listener.getsockname()[1], "-")

    async def serve() -> None:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await asyncio.to_thread(stop.wait)
        server.should_exit = True
        await serving

    asyncio.run(serve())
    journal.close()


def product(folder: Path, stop: Stop) -> None:
    """The api service with a store and a SQLite journal on the same disk."""
    section = {"host": "127.0.0.1", "port": 0}
    behind = core(folder, {"cameras": {"cam": {"http": {}}}, "api": section})
    intake = Intake(behind.store, behind.journal, lambda _events: None, max_bytes=10_000_000)
    access = Access(behind.journal)
    _, key = access.keys.add("cam", ["ingest"], Actor("bench"), cameras=["cam"], rate=100_000)
    (server,) = build(replace(behind.parts, intake=intake)).sources
    assert isinstance(server, HttpServer)
    thread = threading.Thread(target=server.run, args=(stop,), name="http", daemon=True)
    thread.start()
    eventually(lambda: server.is_open and server.port)
    say(server.port, key)
    while thread.is_alive():
        thread.join(0.2)
    behind.journal.close()


if __name__ == "__main__":
    main()
