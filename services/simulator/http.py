"""Simulated cameras that are asked over HTTP: the server before them, and their moods."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from services.simulator.devices.device import Device, Mood, Reply, Request, page
from services.simulator.devices.onvif import Onvif
from shared.errors import ConfigError

log = logging.getLogger(__name__)

MAX_BODY = 65_536
DRIP_S = 0.2
DRIP_BYTES = 512
SILENCE_S = 60.0


class HttpCameras:
    """Serves the cameras until stopped; ``port`` 0 takes a free one, told by ``port``."""

    name = "simulated-http"

    def __init__(
        self,
        host: str,
        port: int,
        devices: Sequence[Device],
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        self.port = port
        self._tls = tls
        self.devices = devices
        self.served = 0
        self.lock = threading.Lock()
        self.stop = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Serve until ``stop`` is set. Raises ConfigError when the port can't be had."""
        self.stop = stop
        try:
            server = _Server((self._host, self.port), self)
        except OSError as error:
            raise ConfigError(
                f"simulator: {self._host}:{self.port} can't be used: {error.strerror}."
                " Set another simulator.http_port."
            ) from None
        with server:
            server.timeout = 0.2
            if self._tls:
                server.socket = self._tls.wrap_socket(
                    server.socket, server_side=True, do_handshake_on_connect=False
                )
            for each in self.devices:
                if isinstance(each, Onvif):
                    each.port = server.server_port
            self.port = server.server_port
            while not stop.is_set():
                server.handle_request()

    def answer(self, request: Request) -> tuple[Reply, Mood]:
        """What the device of this path answers, and its mood."""
        with self.lock:
            for each in self.devices:
                if reply := each.answer(request):
                    return reply, each.mood
        return page("404 Not Found", 404), "fine"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], cameras: HttpCameras) -> None:
        self.cameras = cameras
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "SimulatedCamera"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing of the query: a Foscam's holds the password."""
        path = urlsplit(self.path).path if hasattr(self, "path") else "?"
        log.debug("asked for %s", path, extra={"action": "simulated_request"})

    def _answer(self) -> None:
        reply, mood = self.server.cameras.answer(self._request())
        is_picture = reply.status == 200 and reply.kind.startswith(("image/", "multipart/"))
        if mood == "closed":
            self.close_connection = True
        elif mood == "silent":
            self.close_connection = True
            self.server.cameras.stop.wait(SILENCE_S)
        elif mood == "busy" and is_picture:
            self._send(page("503 Service Unavailable", 503))
        elif reply.stream is not None:
            self._stream(reply)
        else:
            self._send(reply, mood if is_picture else "fine")

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        length = self.headers.get("Content-Length", "0")
        size = min(int(length), MAX_BODY) if length.isdecimal() else 0
        return Request(
            method=self.command,
            uri=self.path,
            path=parts.path,
            query={name: values[0] for name, values in parse_qs(parts.query).items()},
            # Cameras read the bytes as UTF-8, which the library takes for Latin-1.
            headers={
                name.lower(): value.encode("latin-1", "replace").decode("utf-8", "replace")
                for name, value in self.headers.items()
            },
            body=self.rfile.read(size),
        )

    def _send(self, reply: Reply, mood: Mood = "fine") -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if mood == "slow":
            self._drip(reply.body)
        elif mood == "half":
            self.close_connection = True
            self.wfile.write(reply.body[: len(reply.body) // 2])
        else:
            self.wfile.write(reply.body)
        self.server.cameras.served += reply.kind == "image/jpeg" and mood != "half"

    def _drip(self, body: bytes) -> None:
        for start in range(0, len(body), DRIP_BYTES):
            if self.server.cameras.stop.wait(DRIP_S):
                self.close_connection = True
                return
            self.wfile.write(body[start : start + DRIP_BYTES])

    def _stream(self, reply: Reply) -> None:
        self.close_connection = True
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        self.end_headers()
        for part in reply.stream or ():
            if self.server.cameras.stop.is_set():
                return
            self.wfile.write(part)
