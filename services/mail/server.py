"""The mail server: one thread, one loop, two ports."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from services.mail.login import LOOK_S
from services.mail.smtp import LIBRARY_LOG, Session
from services.mail.state import ServerState
from shared.ingest.listening import listening
from shared.ingest.places import Places
from shared.ingest.protection import HANDSHAKE_S
from shared.stop import Stop

log = logging.getLogger(__name__)

STOP_GRACE_S = 4.0
BACKLOG = 128
ACCEPT_PAUSE_S = 0.5
DESCRIPTORS = 0.2, 8
"""The part of the process's descriptors that is for mail. Each session takes the connection, and a
file for each large picture of its mail."""


class Listener:
    """The loop of the server, and the sessions in it."""

    def __init__(self, state: ServerState, loop: asyncio.AbstractEventLoop) -> None:
        self.state = state
        self.loop = loop
        self.sessions: set[Session] = set()
        section = state.section
        self.places = Places(
            "mail",
            section.max_connections,
            section.max_connections_per_ip,
            state.accounts.knows,
            DESCRIPTORS,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking = False
        loop.set_exception_handler(_failed)

    def listen(self, listener: socket.socket, *, in_tls: bool) -> None:
        """Accept who comes."""
        listener.setblocking(False)
        self._start(self._accept(listener, in_tls=in_tls))

    def gone(self, session: Session) -> None:
        """A session is over."""
        if session in self.sessions:
            self.sessions.discard(session)
            whose = {"camera": session.account.camera} if session.account else {}
            log.info(
                "%s left",
                session.address,
                extra={"action": "mail_left", "address": session.address, **whose},
            )

    def look_at_logins(self) -> None:
        """Have the passwords checked whose turn comes, as long as some wait."""
        if not self._looking and self.state.accounts.waiting:
            self._looking = True
            self.loop.call_later(LOOK_S, self._look)

    async def stop(self) -> None:
        """Accept nobody any more, finish what has begun, tell everybody to come again."""
        for task in self._tasks:
            task.cancel()
        until = time.monotonic() + STOP_GRACE_S
        while self.sessions and time.monotonic() < until:
            for session in list(self.sessions):
                if not session.busy:
                    session.send_away("421 4.3.2 The server is stopping.")
            await asyncio.sleep(LOOK_S)
        for session in list(self.sessions):
            session.send_away("421 4.3.2 The server is stopping.")
        await asyncio.sleep(0)

    def _look(self) -> None:
        self._looking = False
        self.state.accounts.pump()
        self.look_at_logins()

    def _start(self, work: Any) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket, *, in_tls: bool) -> None:
        while True:
            try:
                sock, source = await self.loop.sock_accept(listener)
            except OSError:
                # Most likely there are no file descriptors left; without a pause it would spin.
                log.exception("no connection could be accepted", extra={"action": "mail_error"})
                await asyncio.sleep(ACCEPT_PAUSE_S)
                continue
            address = str(source[0])
            if refusal := self.places.refusal(address, self.sessions):
                _turn_away(sock, "" if in_tls else refusal)
                continue
            session = Session(self, address, in_tls=in_tls)
            self.sessions.add(session)
            self._start(self._begin(session, sock, in_tls=in_tls))

    async def _begin(self, session: Session, sock: socket.socket, *, in_tls: bool) -> None:
        tls: dict[str, Any] = {}
        if in_tls:
            guard = self.state.protection
            tls = {"ssl": guard.context, "ssl_handshake_timeout": HANDSHAKE_S}
            await asyncio.sleep(guard.wait_s(session.address))
        try:
            await self.loop.connect_accepted_socket(lambda: session, sock, **tls)
        except OSError as error:
            log.info("no TLS with %s: %s", session.address, error, extra={"action": "mail_no_tls"})
            sock.close()
            self.gone(session)
        else:
            log.info(
                "%s connected",
                session.address,
                extra={"action": "mail_connected", "address": session.address, "tls": in_tls},
            )


def _turn_away(sock: socket.socket, answer: str) -> None:
    with suppress(OSError):
        sock.setblocking(False)
        sock.send(answer.encode() + b"\r\n")
    sock.close()


def _failed(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    if not isinstance(error, ConnectionError):
        log.error(
            "in the loop of the mail server: %s",
            context["message"],
            exc_info=error,
            extra={"action": "mail_error"},
        )


class MailServer:
    """Takes pictures by mail while it runs."""

    name = "mail-server"

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._listener: Listener | None = None
        self.port = self.tls_port = 0
        self.ready = threading.Event()
        """Set once the ports are the ones it listens on."""

    def run(self, stop: Stop) -> None:
        """Serve until stopped. Raises ConfigError when a port can't be had."""
        section = self._state.section
        with listening("mail.port", section.host, section.port, BACKLOG) as plain:
            self.port = plain.getsockname()[1]
            if section.tls_port is None:
                self._serve(stop, plain, None)
            else:
                with listening("mail.tls_port", section.host, section.tls_port, BACKLOG) as in_tls:
                    self.tls_port = in_tls.getsockname()[1]
                    self._serve(stop, plain, in_tls)

    @property
    def connections(self) -> int:
        """Connections open now. Any thread."""
        return len(self._listener.sessions) if self._listener else 0

    @property
    def places(self) -> int:
        """How many may be connected at once. Any thread."""
        return self._listener.places.total if self._listener else 0

    def about(self) -> dict[str, Any]:
        """The state for the page. Any thread."""
        return {"places": self.places, **self._state.about(self.connections)}

    def _serve(self, stop: Stop, plain: socket.socket, in_tls: socket.socket | None) -> None:
        self._state.open()
        # It writes lines that it does not understand: a password, if AUTH was refused before it.
        logging.getLogger(LIBRARY_LOG).setLevel(logging.CRITICAL + 1)
        try:
            asyncio.run(self._until(stop, plain, in_tls))
        finally:
            self._listener = None
            self._state.close()

    async def _until(self, stop: Stop, plain: socket.socket, in_tls: socket.socket | None) -> None:
        loop = asyncio.get_running_loop()
        self._listener = listener = Listener(self._state, loop)
        listener.listen(plain, in_tls=False)
        if in_tls:
            listener.listen(in_tls, in_tls=True)
        stopped = asyncio.Event()
        loop.add_reader(stop.fileno(), stopped.set)
        self.ready.set()
        log.info(
            "mail server listens on port %d",
            self.port,
            extra={"action": "mail_started", "port": self.port, "tls_port": self.tls_port},
        )
        await stopped.wait()
        loop.remove_reader(stop.fileno())
        await listener.stop()
