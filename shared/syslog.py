"""Log lines for a syslog server: RFC 5424 over UDP, TCP or a socket of this machine.

A thread of its own sends them, so that a server that is slow or away holds up nobody; what it can't
take meanwhile is counted, and the count is sent with the next line that gets through.
Source of the framing over TCP: RFC 6587, octet counting.
"""

from __future__ import annotations

import logging
import os
import queue
import re
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

APP = "snapbus"
DAEMON = 3
WAITING = 10_000
"""Lines that wait for the server at most; the newest are lost."""
LONGEST_BYTES = 8192
"""Of a message; longer datagrams are lost by many servers."""
RETRY_S = 2.0
TIMEOUT_S = 5.0
LAST_WORDS_S = 2.0
"""How long an ending process waits for its last lines to leave."""
_SEVERITY = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG = 7
_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")


@dataclass(frozen=True, slots=True)
class Server:
    """Where the lines go. ``kind``: udp, tcp or unix; ``path`` is that of the socket."""

    kind: str
    host: str = ""
    port: int = 514
    path: str = ""


def server_of(address: str) -> Server:
    """The server of ``udp://host:514``, ``tcp://host``, ``host`` or ``/dev/log``, and of Docker's
    ``unix:///dev/log`` and ``unixgram:///dev/log``. Raises ValueError."""
    if address.startswith("/"):
        return Server("unix", path=address)
    if "://" not in address:
        address = f"udp://{address}"
    parts = urlsplit(address)
    if parts.scheme in ("unix", "unixgram") and parts.path.startswith("/"):
        return Server("unix", path=parts.path)
    try:
        host, port = parts.hostname or "", parts.port or 514
    except ValueError:
        host, port = "", 0
    if parts.scheme not in ("udp", "tcp") or not host or parts.path.strip("/"):
        raise ValueError("must be like udp://192.168.1.2:514, tcp://logs.lan:601 or /dev/log")
    return Server(parts.scheme, host, port)


class SyslogHandler(logging.Handler):
    """Hands each line to the thread that sends. Its formatter makes the text of the message."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server
        self._host = _name(socket.gethostname(), 255)
        self._waiting: queue.Queue[bytes | None] = queue.Queue(WAITING)
        self._lost = 0
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="syslog", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = self._message(record)
        except Exception:  # noqa: BLE001  the library's own way to tell it
            self.handleError(record)
            return
        try:
            self._waiting.put_nowait(message)
        except queue.Full:
            self._lost += 1

    def close(self) -> None:
        with suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(LAST_WORDS_S)
        super().close()

    def _message(self, record: logging.LogRecord) -> bytes:
        severity = next((code for level, code in _SEVERITY if record.levelno >= level), _DEBUG)
        action = _name(str(getattr(record, "action", "")), 32)
        text = self.format(record)
        return self._framed(severity, record.created, record.process or 0, action, text)

    def _framed(self, severity: int, moment: float, process: int, action: str, text: str) -> bytes:
        stamp = datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")[:-6]
        head = f"<{DAEMON * 8 + severity}>1 {stamp}Z {self._host} {APP} {process} {action} - "
        line = (head + " ".join(text.splitlines())).encode(errors="replace")
        return line[:LONGEST_BYTES].decode(errors="ignore").encode()

    def _run(self) -> None:
        while (message := self._waiting.get()) is not None:
            while not self._send(message):
                if self._ending():
                    return
                time.sleep(RETRY_S)
        if self._socket:
            self._socket.close()

    def _ending(self) -> bool:
        with self._waiting.mutex:
            return None in self._waiting.queue

    def _send(self, message: bytes) -> bool:
        try:
            if self._socket is None:
                self._socket = _connected(self._server)
            if lost := self._lost:
                words = f"{lost} log lines were lost: the server was slow or away"
                self._put(self._framed(4, time.time(), os.getpid(), "log_lost", words))
                self._lost -= lost
            self._put(message)
        except OSError:
            if self._socket:
                self._socket.close()
            self._socket = None
            return False
        return True

    def _put(self, message: bytes) -> None:
        assert self._socket is not None
        if self._socket.type == socket.SOCK_STREAM:
            message = b"%d %s" % (len(message), message)
        self._socket.sendall(message)


def _connected(server: Server) -> socket.socket:
    """A socket to it. Raises OSError."""
    if server.kind == "tcp":
        return socket.create_connection((server.host, server.port), TIMEOUT_S)
    if server.kind == "udp":
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_DGRAM)[0]
        return _to(found[0], socket.SOCK_DGRAM, found[4])
    try:
        return _to(socket.AF_UNIX, socket.SOCK_DGRAM, server.path)
    except OSError:  # it listens for streams
        return _to(socket.AF_UNIX, socket.SOCK_STREAM, server.path)


def _to(family: int, kind: int, address: object) -> socket.socket:
    made = socket.socket(family, kind)
    try:
        made.settimeout(TIMEOUT_S)
        made.connect(address)  # type: ignore[arg-type]
    except BaseException:
        made.close()
        raise
    return made


def _name(text: str, longest: int) -> str:
    return _NOT_PRINTABLE.sub("_", text)[:longest] or "-"
