"""The HTTP server of a simulated Google: it reads calls, sends answers, and breaks when told to."""

from __future__ import annotations

import logging
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from services.simulator.google.faults import Act
from services.simulator.google.wire import Answer, Call

log = logging.getLogger(__name__)

MAX_BODY = 128_000_000
DRIP_S = 0.2
DRIPS = 50


class Answers(Protocol):
    """Who answers calls; any thread. ``stop`` ends what waits."""

    stop: threading.Event

    def answer(self, call: Call) -> tuple[Answer, Act]:
        """The answer, and how it is sent."""


class Server(ThreadingHTTPServer):
    """Serves one simulated Google."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], google: Answers) -> None:
        self.google = google
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "SimulatedGoogle"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 30
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        call = self._call()
        if call is None:
            return
        given, act = self.server.google.answer(call)
        if act == "silent":
            self.close_connection = True
            self.server.google.stop.wait(self.timeout * 4)
        elif act in ("reset", "lost"):
            self._reset()
        else:
            self._send(given, act)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing of the query, which may hold tokens."""

    def _call(self) -> Call | None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            self._refuse(411)
            return None
        if len(length) > 12 or int(length) > MAX_BODY:
            self._refuse(413)
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):  # the client broke off
            self.close_connection = True
            return None
        parts = urlsplit(self.path)
        method, query = self.command, parts.query
        if self.headers.get("X-HTTP-Method-Override", method) != method:
            # Google's clients send a query that is too long for a URL so.
            method, query, body = "GET", body.decode("utf-8", "replace"), b""
        return Call(
            method=method,
            path=unquote(parts.path),
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            base=f"http://{self.headers.get('Host', '')}",
        )

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self._send(Answer(status), "answer")

    def _send(self, given: Answer, act: Act) -> None:
        self.send_response(given.status)
        if given.status not in (204, 304):
            self.send_header("Content-Type", given.kind)
            self.send_header("Content-Length", str(len(given.body)))
        for name, value in given.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        body = b"" if self.command == "HEAD" else given.body
        if act == "cut" and body:
            self.close_connection = True
            self.wfile.write(body[: len(body) // 2])
        elif act == "slow":
            self._drip(body)
        else:
            self.wfile.write(body)

    def _drip(self, body: bytes) -> None:
        size = len(body) // DRIPS + 1
        for start in range(0, len(body), size):
            self.wfile.flush()
            if self.server.google.stop.wait(DRIP_S):
                self.close_connection = True
                return
            self.wfile.write(body[start : start + size])

    def _reset(self) -> None:
        """End the connection with RST, as a network that breaks."""
        self.close_connection = True
        at_once = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self.connection.close()
