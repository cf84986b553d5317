"""A simulated Amazon Rekognition: ``DetectLabels`` over HTTP for all regions, and what goes wrong.

The region is told by the signature of a request, as Amazon's own addresses do by their names. What
is in a picture it knows of those that the simulated cameras drew.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from services.simulator.amazon.labels import Refusal, See, answer
from shared.errors import ConfigError
from shared.settings.simulator import AmazonFault
from shared.text import printable

log = logging.getLogger(__name__)

MAX_BODY = 8_000_000
SILENCE_S = 120.0
_SCOPE = re.compile(r"Credential=([^/,]+)/\d{8}/([a-z0-9-]+)/rekognition/aws4_request")


class SimulatedRekognition:
    """Serves until stopped; ``port`` 0 takes a free one, told by ``port``. ``faults`` are those of
    regions and may be changed at any time; ``charged`` and ``asked`` count requests by region."""

    name = "simulated-rekognition"

    def __init__(
        self, host: str, port: int, see: See, faults: Mapping[str, AmazonFault] | None = None
    ) -> None:
        self._host = host
        self.port = port
        self.see = see
        self.faults: dict[str, AmazonFault] = dict(faults or {})
        self.asked: Counter[str] = Counter()
        self.charged: Counter[str] = Counter()
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
                " Set another simulator.rekognition_port."
            ) from None
        with server:
            server.timeout = 0.2
            self.port = server.server_port
            while not stop.is_set():
                server.handle_request()

    def region(self, headers: Mapping[str, str]) -> str:
        """Who is asked, by the signature. Raises Refusal for one that is missing or too old."""
        scope = _SCOPE.search(headers.get("authorization", ""))
        if scope is None:
            raise Refusal("MissingAuthenticationTokenException", "Missing Authentication Token")
        if headers.get("x-amz-target") != "RekognitionService.DetectLabels":
            raise Refusal("UnknownOperationException", "")
        return scope[2]

    def fault(self, region: str) -> AmazonFault:
        """What this region does now; ``*`` stands for all."""
        return self.faults.get(region, self.faults.get("*", "fine"))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], cloud: SimulatedRekognition) -> None:
        self.cloud = cloud
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "SimulatedRekognition"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self) -> None:
        cloud = self.server.cloud
        length = self.headers.get("Content-Length", "0")
        size = int(length) if length.isdecimal() else 0
        body = self.rfile.read(min(size, MAX_BODY))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            region = cloud.region(headers)
            fault = cloud.fault(region)
            with cloud.lock:
                cloud.asked[region] += 1
            if fault == "silent":
                self.close_connection = True
                cloud.stop.wait(SILENCE_S)
                return
            if fault == "reset":
                self._reset()
                return
            labels = answer(headers, fault, body, cloud.see)
            with cloud.lock:
                cloud.charged[region] += 1
            if fault == "lost":
                self._reset()
                return
            self._send(200, labels)
        except Refusal as error:
            told = {"__type": error.code, "message": str(error)}
            self._send(error.status, told)

    def log_message(self, format: str, *args: object) -> None:
        """Log no headers: they hold the account."""
        log.debug("asked %s", printable(str(args[:1]), 80), extra={"action": "simulated_request"})

    def _send(self, status: int, answer: Mapping[str, Any]) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _reset(self) -> None:
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
