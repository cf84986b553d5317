"""The ftp service on a free port, and clients that behave as badly as cameras do."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ftplib import FTP
from pathlib import Path
from typing import Any, Self

from services.ftp.app import ServerSource, build
from services.ftp.server import FtpServer
from shared.service import Service
from shared.stop import Stop
from shared.store.part import BUFFERS
from tests.support.making import Core, core

PASSWORD = "correct horse"


@dataclass
class Running:
    """A service and what stands behind it."""

    core: Core
    service: Service
    server: FtpServer
    stop: Stop
    thread: threading.Thread

    @property
    def port(self) -> int:
        return self.server.port

    def client(self, camera: str = "porch", password: str = PASSWORD) -> FTP:
        """A logged-in client of the standard library."""
        ftp = FTP(timeout=20, encoding="utf-8")
        ftp.connect("127.0.0.1", self.port)
        if camera:
            ftp.login(camera, password)
        return ftp

    def raw(self, camera: str = "porch", password: str = PASSWORD) -> Raw:
        """A logged-in client that sends what it is told."""
        return session(self.port, camera, password)

    def names(self) -> list[str]:
        return [row.name for row in self.core.journal.read.snapshots(limit=500)]

    def stored(self, name: str) -> bytes:
        """The picture whose name ends so."""
        rows = self.core.journal.read.snapshots(limit=500)
        (row,) = [row for row in rows if row.name.endswith(name)]
        return self.core.store.read(row.sha256)

    def about(self) -> Mapping[str, Any]:
        return self.service.about()

    def received(self) -> int:
        """How many bytes came so far, of uploads whatever became of them."""
        return int(self.about()["received_bytes"])

    def kept_nothing(self) -> bool:
        """Whether nothing is in the journal, half on the disk, or in memory."""
        store = self.core.store
        held = BUFFERS - store._buffers._value
        return not (held or self.names() or any(store.incoming.iterdir()))

    def halt(self, timeout: float = 30) -> None:
        self.stop.set()
        self.thread.join(timeout)
        assert not self.thread.is_alive(), "the server did not stop"


class Raw:
    """One control connection, line by line."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._host = host
        self.socket = socket.create_connection((host, port), timeout=20)
        self._file = self.socket.makefile("rb")
        self.greeting = self.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up without a word."""
        self._file.close()
        self.socket.close()

    def send(self, line: str | bytes) -> None:
        raw = line if isinstance(line, bytes) else line.encode()
        self.socket.sendall(raw + b"\r\n")

    def read(self) -> str:
        """One answer, of one line or several; empty when the server hung up."""
        answer = line = self._file.readline().decode()
        if answer[3:4] == "-":
            while line and not line.startswith(answer[:3] + " "):
                line = self._file.readline().decode()
                answer += line
        return answer.rstrip("\r\n")

    def ask(self, line: str | bytes) -> str:
        self.send(line)
        return self.read()

    def data(self) -> socket.socket:
        """A data connection in extended passive mode."""
        answer = self.ask("EPSV")
        assert answer.startswith("229"), answer
        port = int(answer.split("|")[3])
        return socket.create_connection((self._host, port), timeout=20)

    def begin(self, name: str | bytes, command: str = "STOR") -> socket.socket:
        """A data connection that an upload has begun on."""
        data = self.data()
        line = command.encode() + b" " + (name if isinstance(name, bytes) else name.encode())
        answer = self.ask(line)
        assert answer.startswith("150") or answer.startswith("125"), answer
        return data

    def put(self, name: str | bytes, content: bytes, command: str = "STOR") -> str:
        """Upload a file; the answer to it."""
        with contextlib.suppress(ConnectionError), self.begin(name, command) as data:
            data.sendall(content)  # the server hangs up on what it refuses early
        return self.read()


def session(
    port: int, camera: str = "porch", password: str = PASSWORD, host: str = "127.0.0.1"
) -> Raw:
    """A client of any server, logged in if it is a camera."""
    raw = Raw(port, host)
    if camera:
        assert raw.ask(f"USER {camera}").startswith("331")
        assert raw.ask(f"PASS {password}").startswith("230")
    return raw


def reset(data: socket.socket) -> None:
    """Close a connection as a machine does that lost its power: by RST."""
    data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    data.close()


@contextlib.contextmanager
def ftp_door(
    folder: Path,
    ftp: Mapping[str, Any] | None = None,
    cameras: Mapping[str, Any] | None = None,
    max_bytes: int = 100_000,
) -> Iterator[Running]:
    """The service on a free port of the loopback, with cameras porch and yard."""
    both = {name: {"ftp": {"password": PASSWORD}} for name in ("porch", "yard")}
    section = {"host": "127.0.0.1", "port": 0, "passive_ports": ""} | dict(ftp or {})
    behind = core(folder, {"cameras": both | dict(cameras or {}), "ftp": section})
    behind.max_bytes = max_bytes
    service = build(behind.parts)
    (source,) = (each for each in service.sources if isinstance(each, ServerSource))
    server = source.server
    stop = Stop()
    thread = threading.Thread(target=source.run, args=(stop,), name="ftp-under-test", daemon=True)
    others = [
        threading.Thread(target=each.run, args=(stop,), daemon=True)
        for each in service.sources
        if each is not source
    ]
    for each in (thread, *others):
        each.start()
    running = Running(behind, service, server, stop, thread)
    try:
        assert server.ready.wait(60)
        yield running
    finally:
        stop.set()
        for each in (thread, *others):
            each.join(30)
        behind.journal.close()
