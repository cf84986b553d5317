"""The FTP server: one thread, one loop. The only file that knows the FTP library.

The library answers 226 as soon as the data connection ends, however it ends. Here the answer waits
until a thread of the executor says that the picture is safe, and a broken connection is no end.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from socket import socket
from typing import Any

from services.ftp.loop_calls import LoopCalls
from services.ftp.session import Session
from services.ftp.state import ServerState
from services.ftp.transfer import Transfer
from shared.errors import ConfigError

with warnings.catch_warnings():
    # Python 3.11 announces the end of asyncore; later Pythons get it as a package of its own.
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.handlers import DTPHandler, FTPHandler
    from pyftpdlib.handlers.ftp.dispatchers import ActiveDTP, PassiveDTP
    from pyftpdlib.ioloop import Acceptor, IOLoop
    from pyftpdlib.servers import FTPServer

log = logging.getLogger(__name__)

POLL_S = 0.25
STOP_GRACE_S = 4.0
LOGIN_S = 60.0
BACKLOG = 256
ACCEPT_PAUSE_S = 0.5


class FtpTransfer(Transfer, DTPHandler):  # type: ignore[misc]
    """One data connection."""

    def __init__(self, sock: socket, session: FtpSession) -> None:
        self.timeout = session.state.section.stall_s
        DTPHandler.__init__(self, sock, session)


class Active(ActiveDTP):  # type: ignore[misc]
    """A data connection that is made to the camera."""

    def handle_close(self) -> None:
        super().handle_close()  # it answers 425
        self.cmd_channel._shutdown_connecting_dtp()

    handle_timeout = handle_close


class Passive(PassiveDTP):  # type: ignore[misc]
    """A listening socket that waits for one data connection."""

    def __init__(self, session: FtpSession, listener: socket) -> None:
        self.cmd_channel = session
        self.log = session.log
        self.log_exception = session.log_exception
        Acceptor.__init__(self, ioloop=session.ioloop)
        self.set_socket(listener)
        self.accepting = True
        self.call_later(self.timeout, self.handle_timeout)

    def __repr__(self) -> str:
        return "<passive socket>"

    def handle_timeout(self) -> None:
        self.cmd_channel._shutdown_connecting_dtp()

    def handle_accepted(self, sock: socket, address: Any) -> None:
        super().handle_accepted(sock, address)
        if self._closed:  # or else it was a stranger, and the wait goes on
            self.cmd_channel.connected_or_not()


class FtpSession(Session, FTPHandler):  # type: ignore[misc]
    """One control connection. It is its own authorizer: a camera may do to names what it likes."""

    banner = "Snapbus takes pictures."
    dtp_handler = FtpTransfer
    active_dtp = Active
    proto_cmds = {
        name: command
        for name, command in FTPHandler.proto_cmds.items()
        if name not in ("MFMT", "SITE CHMOD", "SITE HELP")
    } | {"CLNT": {"perm": None, "auth": False, "arg": True, "help": ""}}

    def __init__(self, sock: socket, server: Listener, ioloop: Any = None) -> None:
        self.start(server.state, server.loop_calls.call_soon)
        self.authorizer = self
        self.timeout = min(LOGIN_S, server.state.section.timeout_s)
        FTPHandler.__init__(self, sock, server, ioloop)
        self._current_type = "i"
        self.set_terminator(b"\n")  # some cameras leave out the \r

    def __repr__(self) -> str:
        return f"<session of {self.remote_ip}>"

    def open_passive(self, listener: socket) -> Passive:
        return Passive(self, listener)

    def has_perm(self, _username: str, _perm: str, _path: str = "") -> bool:
        return True

    def get_perms(self, _username: str) -> str:
        return "elmwadf"

    def get_msg_quit(self, _username: str) -> str:
        return "Goodbye."

    def run_as_current_user(self, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        return function(*args, **named)

    # The library's log lines carry whatever a sender wrote; ours say what happened.

    def log(self, message: str, logfun: object = None) -> None:
        pass

    logline = logerror = log

    def log_cmd(self, *_: object) -> None:
        pass

    def log_exception(self, instance: object) -> None:
        log.error(
            "a session failed at %r",
            instance,
            exc_info=sys.exception(),
            extra={"action": "ftp_error"},
        )


class Listener(FTPServer):  # type: ignore[misc]
    """The socket that cameras connect to."""

    def __init__(self, state: ServerState, ioloop: Any) -> None:
        self.state = state
        self.loop_calls = LoopCalls(ioloop)
        self.max_cons = state.section.max_connections
        self.max_cons_per_ip = state.section.max_connections_per_ip
        address = (state.section.host, state.section.port)
        super().__init__(address, FtpSession, ioloop=ioloop, backlog=BACKLOG)

    def _accept_new_cons(self) -> bool:
        return len(self.ip_map) <= int(self.max_cons)

    def handle_error(self) -> None:
        # Most likely there are no file descriptors left; without the pause the loop would spin.
        log.error(
            "no connection could be accepted",
            exc_info=sys.exception(),
            extra={"action": "ftp_error"},
        )
        self.del_channel()
        self.ioloop.call_later(ACCEPT_PAUSE_S, self.add_channel)

    def __repr__(self) -> str:
        return "<FTP server>"


class FtpServer:
    """Takes pictures by FTP while it runs."""

    name = "ftp-server"

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._listener: Listener | None = None
        self.port = 0
        self.ready = threading.Event()
        """Set once ``port`` is the one it listens on."""

    def run(self, stop: threading.Event) -> None:
        """Serve until stopped. Raises ConfigError when the port can't be had."""
        with IOLoop() as loop:
            self._listener = listener = self._listen(loop)
            self.port = listener.address[1]
            self._state.open()
            resolver = self._resolve(stop)
            self.ready.set()
            log.info(
                "FTP server listens on port %d",
                self.port,
                extra={"action": "ftp_started", "port": self.port},
            )
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
        return len(listener.ip_map) if listener else 0

    def _listen(self, loop: Any) -> Listener:
        section = self._state.section
        try:
            return Listener(self._state, loop)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise ConfigError(
                f"ftp.port: can't listen on {section.host}:{section.port}: {reason}. "
                "Choose a free port; ports under 1024 need special rights."
            ) from error

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
        for session in _sessions(loop):
            session.stop()
        deadline = time.monotonic() + STOP_GRACE_S
        _poll(loop, until=lambda: not _sessions(loop) or time.monotonic() > deadline)
        for session in _sessions(loop):
            with suppress(OSError):
                session.leave("421 The server is stopping.")


def _poll(loop: Any, until: Callable[[], bool]) -> None:
    # Not the library's loop(), which sets up logging.
    pause: float | None = 0.0
    while not until():
        loop.poll(POLL_S if pause is None else min(pause, POLL_S))
        pause = loop.sched.poll()


def _sessions(loop: Any) -> list[FtpSession]:
    return [one for one in list(loop.socket_map.values()) if isinstance(one, FtpSession)]
