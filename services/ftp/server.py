"""The FTP server: one thread, one loop. The only file that knows the FTP library.

Of the library it takes the loop. What is said on a connection is ours (session.py), because the
library answers 226 as soon as a data connection ends, however it ends.
"""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from services.ftp import diary
from services.ftp.loop import LoopCalls, StopHeard
from services.ftp.openings import Acceptor
from services.ftp.session import Session
from services.ftp.state import ServerState
from shared.ingest.listening import listening
from shared.ingest.places import Places
from shared.stop import Stop

with warnings.catch_warnings():
    # Python 3.11 announces the end of asyncore; later Pythons get it as a package of its own.
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.ioloop import IOLoop

log = logging.getLogger(__name__)

STOP_GRACE_S = 4.0
BACKLOG = 256
DESCRIPTORS = 0.4, 3
"""The part of the process's descriptors that is for FTP. Each session takes the control connection,
the data connection or its port, and the file."""
ACCEPT_PAUSE_S = 0.5
LOOK_S = 0.1
"""How often waiting passwords are looked at."""


class Listener:
    """The socket that cameras connect to, and the sessions that came of it."""

    def __init__(self, state: ServerState, loop: Any, listener: socket.socket) -> None:
        self.state = state
        self.loop = loop
        self.loop_calls = LoopCalls(loop)
        self.call_soon = self.loop_calls.call_soon
        self.sessions: set[Session] = set()
        self.port = int(listener.getsockname()[1])
        self.places = Places(
            "FTP",
            state.section.max_connections,
            state.section.max_connections_per_ip,
            state.accounts.knows,
            DESCRIPTORS,
        )
        self._looking = False
        self._turned_away = diary.TurnedAway()
        self._acceptor = Acceptor(loop, listener, self._accept, self._failed)

    def close(self) -> None:
        """Accept nobody any more."""
        self._acceptor.close()

    def gone(self, session: Session) -> None:
        """A session is over."""
        self.sessions.discard(session)

    def _accept(self, sock: socket.socket, address: str) -> None:
        if refusal := self.places.refusal(address, self.sessions):
            self._turned_away.note(address, refusal)
            _turn_away(sock, refusal)
            return
        try:
            self.sessions.add(Session(sock, address, self))
        except OSError:  # it is gone already
            sock.close()

    def look_at_logins(self) -> None:
        """Have the passwords checked whose turn comes, as long as some wait."""
        if not self._looking and self.state.accounts.waiting:
            self._looking = True
            self.loop.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._looking = False
        try:
            self.state.accounts.pump()
        except Exception:
            log.exception("a login failed", extra={"action": "ftp_error"})
        self.look_at_logins()

    def _failed(self) -> None:
        # Most likely there are no file descriptors left; without the pause the loop would spin.
        log.error(
            "no connection could be accepted",
            exc_info=sys.exception(),
            extra={"action": "ftp_error"},
        )
        self._acceptor.pause()
        self.loop.call_later(ACCEPT_PAUSE_S, self._acceptor.resume)


def _turn_away(sock: socket.socket, answer: str) -> None:
    with suppress(OSError):
        sock.setblocking(False)
        sock.send(answer.encode() + b"\r\n")
    sock.close()


class FtpServer:
    """Takes pictures by FTP while it runs."""

    name = "ftp-server"

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._listener: Listener | None = None
        self.port = 0
        self.ready = threading.Event()
        """Set once ``port`` is the one it listens on."""

    def run(self, stop: Stop) -> None:
        """Serve until stopped. Raises ConfigError when the port can't be had."""
        with IOLoop() as loop:
            section = self._state.section
            opened = listening("ftp.port", section.host, section.port, BACKLOG)
            self._listener = listener = Listener(self._state, loop, opened)
            self.port = listener.port
            self._state.open()
            resolver = self._resolve(stop)
            self.ready.set()
            log.info(
                "FTP server listens on port %d",
                self.port,
                extra={"action": "ftp_started", "port": self.port},
            )
            StopHeard(loop, stop)
            _poll(loop, until=stop.is_set)
            self._stop_gracefully(loop, listener)
            listener.loop_calls.close()
            self._listener = None
        self._state.close(STOP_GRACE_S / 4)
        if resolver:
            resolver.join(STOP_GRACE_S / 4)

    @property
    def connections(self) -> int:
        """Control connections open now. Any thread."""
        listener = self._listener
        return sum(not each.control.closed for each in list(listener.sessions)) if listener else 0

    @property
    def places(self) -> int:
        """How many may be connected at once. Any thread."""
        return self._listener.places.total if self._listener else 0

    def _resolve(self, stop: threading.Event) -> threading.Thread | None:
        if not self._state.section.masquerade_address:
            return None
        thread = threading.Thread(
            target=self._state.resolve, args=(stop,), name="ftp-address", daemon=True
        )
        thread.start()
        return thread

    def _stop_gracefully(self, loop: Any, listener: Listener) -> None:
        """Accept nobody any more, finish what has begun, tell everybody to come again."""
        listener.close()
        for session in list(listener.sessions):
            session.stop()
        deadline = time.monotonic() + STOP_GRACE_S
        loop.call_later(STOP_GRACE_S, lambda: None)  # the loop wakes then
        _poll(loop, until=lambda: not listener.sessions or time.monotonic() > deadline)
        for session in list(listener.sessions):
            session.leave("421 The server is stopping.")
            session.control.close()
            session.data.drop()


def _poll(loop: Any, until: Callable[[], bool]) -> None:
    # Not the library's loop(), which sets up logging.
    pause: float | None = 0.0
    while not until():
        loop.poll(pause)
        pause = loop.sched.poll()
