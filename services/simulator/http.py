"""Simulated cameras that are asked over HTTP: a Foscam, and others with Digest, Basic or no login.

They answer as the real ones: a Foscam says that a password is wrong by status 200 and XML.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from services.simulator.demo import Account
from services.simulator.login import DigestGuard, basic_ok
from services.simulator.pictures import Pictures
from shared.errors import ConfigError

log = logging.getLogger(__name__)

FRAME_PAUSE_S = 0.2
BOUNDARY = "frame"


class HttpCameras:
    """Serves the cameras until stopped; ``port`` 0 takes a free one, told by ``port``."""

    name = "simulated-http"

    def __init__(
        self,
        host: str,
        port: int,
        *,
        foscam: tuple[Account, Pictures],
        generic: tuple[Account, Pictures],
    ) -> None:
        self._host = host
        self.port = port
        self.served = 0
        self.foscam_account, self.foscam_pictures = foscam
        self.account, self.pictures = generic
        self.digest = DigestGuard(self.account)
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
            self.port = server.server_port
            while not stop.is_set():
                server.handle_request()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], cameras: HttpCameras) -> None:
        self.cameras = cameras
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "SimulatedCamera"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        kind = urlsplit(self.path).path.strip("/").split("/")[0]
        answers: dict[str, Callable[[], None]] = {
            "cgi-bin": self._foscam,
            "digest": self._digest,
            "basic": self._basic,
            "plain": self._picture,
            "mjpeg": self._stream,
        }
        answers.get(kind, self._missing)()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing of the query: a Foscam's holds the password."""
        path = urlsplit(self.path).path if hasattr(self, "path") else "?"
        log.debug("asked for %s", path, extra={"action": "simulated_request"})

    def _foscam(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        account = self.server.cameras.foscam_account
        if parts.path != "/cgi-bin/CGIProxy.fcgi":
            self._missing()
        elif (query.get("usr"), query.get("pwd")) != (account.username, account.password):
            self._result(-2)
        elif query.get("cmd") == "snapPicture2":
            self._send("image/jpeg", self.server.cameras.foscam_pictures.next())
        elif query.get("cmd") == "snapPicture":
            self._send("text/html", b'<html><body><img src="../snap.jpg"/></body></html>')
        else:
            self._result(-1)

    def _result(self, number: int) -> None:
        text = f"<CGI_Result>\n    <result>{number}</result>\n</CGI_Result>\n"
        self._send("text/xml", text.encode())

    def _digest(self) -> None:
        cameras = self.server.cameras
        with cameras.lock:
            header = self.headers.get("Authorization", "")
            allowed, stale = cameras.digest.check(header, "GET", self.path)
            challenge = "" if allowed else cameras.digest.challenge(stale=stale)
        if allowed:
            self._picture()
        else:
            self._send("text/html", b"<html>Unauthorized</html>", 401, challenge)

    def _basic(self) -> None:
        header = self.headers.get("Authorization", "")
        if basic_ok(header, self.server.cameras.account):
            self._picture()
        else:
            self._send("text/html", b"<html>Unauthorized</html>", 401, 'Basic realm="camera"')

    def _picture(self) -> None:
        self._send("image/jpeg", self.server.cameras.pictures.next())

    def _missing(self) -> None:
        self._send("text/html", b"<html><title>404 Not Found</title></html>", 404)

    def _send(self, kind: str, body: bytes, status: int = 200, challenge: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.end_headers()
        self.wfile.write(body)
        self.server.cameras.served += kind == "image/jpeg"

    def _stream(self) -> None:
        cameras = self.server.cameras
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self.end_headers()
        while not cameras.stop.wait(FRAME_PAUSE_S):
            picture = cameras.pictures.next()
            header = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}"
            try:
                self.wfile.write(header.encode() + b"\r\n\r\n" + picture + b"\r\n")
            except ConnectionError:
                return  # the viewer left
