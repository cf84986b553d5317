"""Runs uvicorn in the thread of a source, with the limits a server on a home network needs.

Slow clients are the reason for most of it: a head that doesn't come, a stream nobody reads, a
connection that is never closed.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from email.utils import formatdate
from typing import Any

from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.api.extensions import ABORT, WITHIN
from services.api.guard import HEADERS
from services.api.problems import answer
from services.api.seldom import Seldom
from services.api.tls import Certificate
from shared.descriptors import share
from shared.errors import ConfigError
from shared.stop import Stop

log = logging.getLogger(__name__)

HEAD_SECONDS = 10.0
HEAD_BYTES = 32_768
REQUEST_SECONDS = 15.0
"""From the end of the head to the end of the body; then the connection is cut."""
MOST_CONNECTIONS = 2_000
DESCRIPTORS = 0.35
"""The part of the process's descriptors that is for connections."""
OF_ONE_ADDRESS = 0.75
"""So much of all connections may come from one address: a proxy has but one."""
STOP_SECONDS = 3
LAST_SECONDS = 1.0
"""Who was cut off at the stop is still told why, for so long."""
DEAD_PEER_MS = 30_000


class _Protocol(HttpToolsProtocol):
    """Cuts clients whose request takes too long or whose head is too large."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _in_head = True
    _in_body = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.access_log = False  # whatever loggers there are: addresses may hold keys
        most = share(DESCRIPTORS, 1, MOST_CONNECTIONS)
        host = (transport.get_extra_info("peername") or ("",))[0]
        others = (getattr(each, "client", None) or ("",) for each in self.connections)
        from_there = sum(other[0] == host for other in others)
        if len(self.connections) > most or from_there > most * OF_ONE_ADDRESS:
            self._refuse(503, "Service Unavailable", "Too many connections. Come again later.")
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:  # still, after these bytes
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("Request head too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {
            ABORT: {"abort": self.transport.abort},
            WITHIN: {"within": self._within},
        }
        if not self._in_head:  # the next request on a connection that is kept alive
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_waiting()
        self._in_body = True
        self._within(REQUEST_SECONDS)
        date = formatdate(time.time(), usegmt=True).encode()
        self.server_state.default_headers = [(b"date", date)]
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        self._stop_waiting()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong with a request that never reaches the app, as the app would."""
        self._refuse(400, "Bad Request", msg)

    def _refuse(self, status: int, phrase: str, why: str) -> None:
        refusal = answer(status, "", why, {**HEADERS, "Connection": "close"})
        head = b"".join(b"%b: %b\r\n" % pair for pair in refusal.raw_headers)
        first = f"HTTP/1.1 {status} {phrase}\r\n".encode()
        self.transport.write(b"%b%b\r\n%b" % (first, head, bytes(refusal.body)))
        self.transport.close()

    def _expect_head(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _within(self, seconds: float) -> None:
        if self._in_body:
            self._stop_waiting()
            self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Server(Server):
    """Ends when told by a thread, and ends open streams first."""

    def __init__(self, config: Config, stop: Stop, end_streams: Callable[[], None]):
        super().__init__(config)
        self._stop = stop
        self._end_streams = end_streams

    async def main_loop(self) -> None:
        """Sleep until the word to stop, where uvicorn looks ten times a second."""
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._stop, stopped.set)
        await stopped.wait()
        loop.remove_reader(self._stop)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        await super().shutdown(sockets)
        if open_still := set(self.server_state.tasks):
            await asyncio.wait(open_still, timeout=LAST_SECONDS)


class HttpServer:
    """The source that serves the API. ``ports`` are those in use once ``run`` began, and ``port``
    is the first."""

    name = "http"

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        ports: Sequence[int],
        end_streams: Callable[[], None],
        certificate: Certificate | None = None,
    ) -> None:
        self._certificate = certificate
        self._app = app
        self._host = host
        self._end_streams = end_streams
        self._ports = self.ports = tuple(ports)
        self.is_open = False

    @property
    def port(self) -> int:
        return self.ports[0]

    def run(self, stop: Stop) -> None:
        """Serve until told to stop. Raises ConfigError when the port can't be had."""
        with ExitStack() as listening:
            listeners = [listening.enter_context(self._listen(each)) for each in self._ports]
            self.ports = tuple(each.getsockname()[1] for each in listeners)
            self._serve(stop, listeners)

    def _serve(self, stop: Stop, listeners: list[socket.socket]) -> None:
        config = Config(
            self._app,
            http=_Protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=STOP_SECONDS,
            ssl_context_factory=self._tls if self._certificate else None,
        )
        server = _Server(config, stop, self._end_streams)
        said, seldom = logging.getLogger("uvicorn.error"), Seldom()
        said.addFilter(seldom)
        where = " and ".join(map(str, self.ports))
        log.info("the page is on port %s", where, extra={"action": "listening", "port": self.port})
        self.is_open = True
        try:
            server.run(sockets=listeners)
        finally:
            self.is_open = False
            said.removeFilter(seldom)

    def _tls(self, *_of_uvicorn: object) -> ssl.SSLContext:
        assert self._certificate
        return self._certificate.context

    def _listen(self, port: int) -> socket.socket:
        setting = "port" if port == self._ports[0] else "more_ports"
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; connections inherit it
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MS)
        try:
            listener.bind((self._host, port))
            listener.listen(512)
        except OSError as error:
            listener.close()
            raise ConfigError(
                f"api.{setting}: {self._host}:{port} can't be opened: {error.strerror}. "
                "Stop what uses it, or set another."
            ) from error
        listener.setblocking(False)
        return listener
