"""A proxy before an S3 server that fails as such servers do: where moto is too kind.

Faults are said for the next requests, or for all until ``heal``.
"""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import socketserver
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO


@dataclass(frozen=True, slots=True)
class Said:
    """An answer that the server itself does not give."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def refusal(
    status: int, code: str, message: str = "no", headers: Mapping[str, str] | None = None
) -> Said:
    """An error as S3 writes it; without ``code``, as a proxy would."""
    xml = (
        f"<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>{code}</Code>"
        f"<Message>{message}</Message><RequestId>1</RequestId></Error>"
    )
    body = xml if code else "<html>Bad Gateway</html>"
    return Said(status, {"Content-Type": "application/xml", **(headers or {})}, body.encode())


@dataclass(slots=True)
class _Fault:
    what: str | Said
    match: str
    times: float


class S3Peer:
    """Forwards a free port of the loopback to ``port`` (0: to nobody). What can be said:

    * ``refusal(...)``; ``reset`` and ``close``: the connection ends without an answer;
    * ``lost``: done by the server, but nobody hears of it; ``half``: half a head;
    * ``garbage``; ``silent``; ``drip``: a body byte by byte; ``endless``: a body without end;
    * ``cut``: half the body; ``flip``: a body with one bit changed, under the same head;
    * ``damage``: the server gets other bytes than were sent, under the same head, and does not
      look; ``deaf``: no checksum in the answer.
    """

    def __init__(self, port: int = 0) -> None:
        self._upstream = port
        self._faults: list[_Fault] = []
        self._weather: tuple[float, random.Random, tuple[str | Said, ...]] | None = None
        self.happened = 0
        """Faults of a storm so far."""
        self._lock = threading.Lock()
        self.requests: list[str] = []
        """``METHOD path`` of each request, in order."""
        self.connections = 0
        self._ending = threading.Event()
        self._open: set[socket.socket] = set()
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer._serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 100

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Whoever hung up is the test's business."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="s3peer", daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def say(self, what: str | Said, *, times: float = 1, match: str = "") -> None:
        """Fail so at the next ``times`` requests whose ``METHOD path`` holds ``match``."""
        with self._lock:
            self._faults.append(_Fault(what, match, times))

    def always(self, what: str | Said, match: str = "") -> None:
        """Fail so until ``heal``."""
        self.say(what, times=float("inf"), match=match)

    def storm(self, rate: float, seed: int, *kinds: str | Said) -> None:
        """From now on let so many of the requests fail, each in one of these ways."""
        with self._lock:
            self._weather = rate, random.Random(seed), kinds

    def heal(self) -> None:
        """No more faults."""
        with self._lock:
            self._faults.clear()
            self._weather = None

    def asked(self, match: str) -> int:
        """How many requests hold ``match``."""
        with self._lock:
            return sum(match in each for each in self.requests)

    def __enter__(self) -> S3Peer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections."""
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()
        with self._lock:
            left = list(self._open)
        for connection in left:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)

    def _next(self, asked: str) -> str | Said:
        with self._lock:
            self.requests.append(asked)
            for fault in self._faults:
                if fault.match in asked and fault.times > 0:
                    fault.times -= 1
                    return fault.what
            if self._weather and self._weather[1].random() < self._weather[0]:
                self.happened += 1
                return self._weather[1].choice(self._weather[2])
        return ""

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self.connections += 1
            self._open.add(connection)
        try:
            with connection.makefile("rb") as reader:
                while self._exchange(connection, reader):
                    pass
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(connection)

    def _exchange(self, connection: socket.socket, reader: BinaryIO) -> bool:
        """Serve one request; False when the connection is over."""
        line = reader.readline(65_536).decode("latin-1").split()
        if len(line) != 3:
            return False
        method, path, _ = line
        headers = http.client.parse_headers(reader)
        body = reader.read(int(headers.get("Content-Length") or 0))
        what = self._next(f"{method} {path}")
        if isinstance(what, Said):
            connection.sendall(_head(what.status, what.headers, len(what.body)))
            if method != "HEAD":
                connection.sendall(what.body)
            return True
        if what in _WITHOUT_SERVER:
            return self._alone(connection, what)
        if what == "damage":
            body = _flipped(body)
            for name in ("Content-MD5", "x-amz-checksum-sha256"):
                del headers[name]
        return self._forward(connection, what, (method, path, headers, body))

    def _forward(self, connection: socket.socket, what: str, request: tuple[Any, ...]) -> bool:
        method, path, headers, body = request
        upstream = http.client.HTTPConnection("127.0.0.1", self._upstream, timeout=30)
        with contextlib.closing(upstream):
            upstream.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                upstream.putheader(name, value)
            upstream.endheaders(body)
            answer = upstream.getresponse()
            found = answer.read()
        if what == "lost":
            return _reset(connection)
        told = {n: v for n, v in answer.getheaders() if n.lower() not in _HOP}
        if what == "deaf":
            told = {n: v for n, v in told.items() if n.lower() not in _CHECKSUMS}
        size = int(answer.getheader("Content-Length") or len(found))
        connection.sendall(_head(answer.status, told, size if method == "HEAD" else len(found)))
        if what == "flip":
            found = _flipped(found)
        if what == "cut":
            connection.sendall(found[: len(found) // 2])
            return False
        connection.sendall(found)
        return True

    def _alone(self, connection: socket.socket, what: str) -> bool:
        """Answer, or not, without the server behind."""
        if what == "reset":
            return _reset(connection)
        if what == "half":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-")
        elif what == "garbage":
            connection.sendall(b"\x16\x03\x01 220 ready\r\n" * 3)
        elif what == "silent":
            self._ending.wait(60)
        elif what in ("drip", "endless"):
            told = {"Content-Type": "application/xml", "Last-Modified": _DATE}
            connection.sendall(_head(200, told, 10**9))
            while not self._ending.wait(0.05 if what == "drip" else 0):
                connection.sendall(b" " if what == "drip" else bytes(65_536))
        return False


_WITHOUT_SERVER = ("reset", "close", "half", "garbage", "silent", "drip", "endless")
_DATE = "Sun, 22 Nov 2026 00:00:00 GMT"
_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "date", "server")
_CHECKSUMS = ("x-amz-checksum-sha256", "etag", "x-amz-checksum-type")


def _head(status: int, headers: Mapping[str, str], size: int) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {size}", "", ""]).encode("latin-1")


def _flipped(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :] if body else body


def _reset(connection: socket.socket) -> bool:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False
