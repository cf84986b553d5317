"""Runs uvicorn in the thread of a source, with the limits a server on a home network needs.

Slow clients are the reason for most of it: a head that doesn't come, a stream nobody reads, a
connection that is never closed.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.api.guard import HEADERS
from services.api.problems import answer
from shared.errors import ConfigError

log = logging.getLogger(__name__)

HEAD_SECONDS = 10.0
HEAD_BYTES = 32_768
REQUEST_SECONDS = 15.0
"""For the body too. Who is still sending then was answered long ago, and is kept no longer."""
MOST_CONNECTIONS = 2_000
STOP_SECONDS = 3
TICK_S = 0.5
DEAD_PEER_MS = 30_000
ABORT = "snapbus.abort"
"""ASGI extension: a function that cuts the connection of this request at once."""


class _Protocol(HttpToolsProtocol):
    """Cuts clients that don't finish a request in time, or its head at a sane length."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _in_head = True

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
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
        self.scope["extensions"] = {ABORT: {"abort": self.transport.abort}}
        if not self._in_head:  # the next request on a connection that is kept alive
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_waiting()
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._stop_waiting()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong with a request that never reaches the app, as the app would."""
        refusal = answer(400, "", msg, {**HEADERS, "Connection": "close"})
        head = b"".join(b"%b: %b\r\n" % pair for pair in refusal.raw_headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n%b\r\n%b" % (head, bytes(refusal.body)))
        self.transport.close()

    def _expect_head(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Server(Server):
    """Ends when told by a thread, and ends open streams first."""

    def __init__(self, config: Config, stop: threading.Event, end_streams: Callable[[], None]):
        super().__init__(config)
        self._stop = stop
        self._end_streams = end_streams

    async def main_loop(self) -> None:
        """Look twice a second whether to stop, where uvicorn looks ten times."""
        counter = 0  # of tenths of a second, by which it renews the time of its answers
        while not (await self.on_tick(counter) or self._stop.is_set()):
            counter += 5
            await asyncio.sleep(TICK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        await super().shutdown(sockets)


class HttpServer:
    """The source that serves the API. ``port`` is the one in use once ``run`` began."""

    name = "http"

    def __init__(self, app: ASGIApp, host: str, port: int, end_streams: Callable[[], None]) -> None:
        self._app = app
        self._host = host
        self._end_streams = end_streams
        self.port = port
        self.is_open = False

    def run(self, stop: threading.Event) -> None:
        """Serve until told to stop. Raises ConfigError when the port can't be had."""
        listener = self._listen()
        self.port = listener.getsockname()[1]
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
        )
        server = _Server(config, stop, self._end_streams)
        log.info(
            "the page is on port %s", self.port, extra={"action": "listening", "port": self.port}
        )
        self.is_open = True
        try:
            server.run(sockets=[listener])
        finally:
            self.is_open = False
            listener.close()

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; connections inherit it
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MS)
        try:
            listener.bind((self._host, self.port))
            listener.listen(512)
        except OSError as error:
            listener.close()
            raise ConfigError(
                f"api.port: {self._host}:{self.port} can't be opened: {error.strerror}. "
                "Stop what uses it, or set another api.port."
            ) from error
        listener.setblocking(False)
        return listener
