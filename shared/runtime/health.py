"""Is this process alive, ready, and getting anywhere? Asked over HTTP by Docker and by people.

/live    the threads run                                  (else: restart it)
/ready   and journal, store and broker can be reached     (else: wait)
/watch   the same as /ready; but a process that is well for a while keeps who asks waiting
/metrics figures for Prometheus
Stuck is worse than down, so /ready also fails when this process owes old work and does not move.
``healthcheck`` beside this file is the health check of a container. It asks /watch, because
Docker's starting it is what costs: so it is started seldom, and told at once what is wrong.
"""

from __future__ import annotations

import json
import math
import selectors
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from shared.errors import ConfigError

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
WELL_S, WATCH_S = 60.0, 50.0
"""After how long without a problem /watch stops to answer at once, and when it does at last."""
LOOK_S = 2.0
"""How often it looks meanwhile."""
STALE_S = 30.0
"""A process that has not examined itself for this long hangs."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a process found when it last examined itself; ``problems`` keep it from being ready."""

    problems: tuple[str, ...] = ()
    services: Mapping[str, Any] = field(default_factory=dict)
    taken_at: float = field(default_factory=time.monotonic)

    @property
    def is_live(self) -> bool:
        return time.monotonic() - self.taken_at < STALE_S


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # HTTPServer's own asks the name server for the name of its address.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]


class HealthServer:
    """Serves the last pulse. ``pulse`` and ``figures`` are called on threads of the server."""

    def __init__(
        self, host: str, port: int, pulse: Callable[[], Pulse], figures: Callable[[], bytes]
    ) -> None:
        watch = _Watch(pulse)

        class Handler(BaseHTTPRequestHandler):
            def handle(self) -> None:
                with suppress(ConnectionError):  # who asked had no more patience
                    super().handle()

            def do_GET(self) -> None:
                if self.path == "/watch":
                    watch.wait()
                status, kind, body = _answer(self.path, pulse(), figures)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass  # a check every few seconds is no news

        Handler.timeout = 5
        try:
            self._server = _Server((host, port), Handler)
        except OSError as error:
            raise ConfigError(
                f"health.port: {host}:{port} can't be used: {error.strerror}. "
                "Choose another with SNAPBUS__HEALTH__PORT, or 0 for any."
            ) from error
        self._end, self._ended = socket.socketpair()
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.close()
        self._thread.join(1)
        self._ended.close()
        self._server.server_close()

    def _run(self) -> None:
        # Not serve_forever, which wakes twice a second to see whether it shall stop.
        with selectors.DefaultSelector() as selector:
            for each in (self._server, self._ended):
                selector.register(each, selectors.EVENT_READ)
            while all(key.fileobj is self._server for key, _ in selector.select()):
                self._server.handle_request()


class _Watch:
    """Keeps who asks waiting while all is well."""

    def __init__(self, pulse: Callable[[], Pulse]) -> None:
        self._pulse = pulse
        self._well_since = math.inf

    def wait(self) -> None:
        """Return soon while the process is young or ill, else after ``WATCH_S``, or once it is."""
        began = time.monotonic()
        while self._is_well():
            self._well_since = min(self._well_since, began)
            now = time.monotonic()
            if began - self._well_since < WELL_S or now - began > WATCH_S:
                return
            time.sleep(LOOK_S)
        self._well_since = math.inf

    def _is_well(self) -> bool:
        pulse = self._pulse()
        return pulse.is_live and not pulse.problems


def _answer(path: str, pulse: Pulse, figures: Callable[[], bytes]) -> tuple[int, str, bytes]:
    if path == "/metrics":
        return 200, METRICS_TYPE, figures()
    if path not in ("/live", "/ready", "/watch"):
        return 404, "text/plain", b"try /live, /ready, /watch or /metrics\n"
    problems = [] if path == "/live" else list(pulse.problems)
    if not pulse.is_live:
        problems.append("the process hangs")
    state = {"ok": not problems, "problems": problems, "services": dict(pulse.services)}
    return (503 if problems else 200), "application/json", json.dumps(state).encode()


def check(port: int, host: str = "127.0.0.1", timeout_s: float = 4.0) -> list[str]:
    """The problems that the process on this port reports; empty: it is ready."""
    url = f"http://{host}:{port}/ready"
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:
            answer.read()
            return []
    except urllib.error.HTTPError as error:
        return list(json.loads(error.read())["problems"])
    except OSError as error:
        return [f"no answer on port {port}: {error}"]
