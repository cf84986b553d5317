"""How a session comes by its data connection, and what waits for it.

Passive: the camera connects to a port that is opened for it; active: we connect to the camera's.
"""

from __future__ import annotations

import logging
import socket
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from services.ftp.loop import Timer
from services.ftp.openings import Acceptor, Connector
from services.ftp.transfer import Transfer
from services.ftp.upload import Reply, Upload
from shared.text import printable

if TYPE_CHECKING:
    from services.ftp.session import Session

log = logging.getLogger(__name__)

PASSIVE_S = 30.0
"""How long a passive port waits for its connection."""
CONNECT_S = 30.0
"""How long a camera in active mode may take to let us in."""
PASSIVE_WAIT_S = 5.0
PASSIVE_RETRY_S = 0.02

_NONE_CAME = Reply(425, "No data connection came. Send it again.", "cut")
_BROKE = Reply(451, "Upload incomplete: the connection broke.", "cut")


class DataPort:
    """The data connection of one session: none, being made, or there. ``waiting`` is the upload or
    the list that waits for it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._opening: Acceptor | Connector | None = None
        self._timer: Timer | None = None
        self.transfer: Transfer | None = None
        self.waiting: Upload | bytes | None = None

    @property
    def receiving(self) -> bool:
        """Whether a picture comes in."""
        return self.transfer is not None and self.transfer.receiving

    @property
    def awaited(self) -> bool:
        """Whether a connection is there or may still come."""
        opening = self._opening is not None and not self._opening.closed
        return opening or self.transfer is not None

    def passive(self, extended: bool, deadline: float = 0.0) -> None:
        """Open a port; where the range is in use, wait for one to become free."""
        session = self._session
        self.drop()
        here = session.socket
        address = str(here.getsockname()[0])
        listener = session.state.passive_socket(here.family, address)
        deadline = deadline or time.monotonic() + PASSIVE_WAIT_S
        if listener:
            port = listener.getsockname()[1]
            opening = Acceptor(session.loop, listener, self._came, session.failed)
            self._open(opening, PASSIVE_S, self._nobody_came)
            session.respond(_epsv(port) if extended else _pasv(session.outer(address), port))
        elif time.monotonic() < deadline:
            session.later(PASSIVE_RETRY_S, lambda: self.passive(extended, deadline))
        else:
            session.respond("425 All passive ports are in use (ftp.passive_ports). Try again.")

    def active(self, port: int) -> None:
        """Connect to the camera."""
        session = self._session
        self.drop()
        here = str(session.socket.getsockname()[0])
        target = (session.address, port)
        try:
            opening = Connector(session.loop, here, target, self._reached, session.failed)
        except OSError:
            self._reached(None)
        else:
            self._open(opening, CONNECT_S, self._not_reached)

    def use(self, what: Upload | bytes) -> None:
        """Send a list or take an upload, now or as soon as there is a connection."""
        if self.transfer is None:
            self.waiting = what
        elif isinstance(what, bytes):
            self.transfer.send(what)
        else:
            self.transfer.receive(what)

    def drop(self) -> None:
        """Forget what there is; who waited for it is told."""
        self._stop_opening()
        if self.transfer is not None:
            self.transfer.close()
        self._wait_no_more(_NONE_CAME)

    def leave(self) -> None:
        """The control connection ends: what comes in is heard to the end, and nothing else."""
        self._stop_opening()
        if self.transfer is not None and not self.transfer.receiving:
            self.transfer.close()
        if isinstance(self.waiting, Upload):
            self.waiting.close()
        self.waiting = None

    def _open(
        self, opening: Acceptor | Connector, seconds: float, too_late: Callable[[], None]
    ) -> None:
        self._opening = opening

        def late() -> None:
            self._timer = None
            too_late()

        self._timer = self._session.loop.call_later(seconds, late, _errback=self._session.failed)

    def _nobody_came(self) -> None:
        self._stop_opening()
        self._wait_no_more(_NONE_CAME)

    def _stop_opening(self) -> None:
        if self._opening is not None:
            self._opening.close()
            self._opening = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _came(self, sock: socket.socket, address: str) -> None:
        """Somebody connected to the passive port."""
        if address != self._session.address:
            sock.close()
            log.warning(
                "a data connection of %s came from %s",
                self._session.address,
                printable(address),
                extra={"action": "ftp_refused"},
            )
            # The port stays open: its camera may still come.
            self._session.respond("425 A connection from another address was refused.")
            return
        self._stop_opening()
        self._begin(sock)

    def _not_reached(self) -> None:
        self._reached(None)

    def _reached(self, sock: socket.socket | None) -> None:
        """The camera let us in, or not."""
        self._stop_opening()
        if sock is None:
            self._session.respond("425 Can't connect to that address.")
            self._wait_no_more(_NONE_CAME)
        else:
            self._session.respond("200 Connected to you.")
            self._begin(sock)

    def _begin(self, sock: socket.socket) -> None:
        try:
            self.transfer = Transfer(self._session, sock)
        except OSError:  # it is gone already
            log.debug("a data connection broke as it was made", exc_info=sys.exception())
            sock.close()
            self._wait_no_more(_BROKE)
            return
        what, self.waiting = self.waiting, None
        if what is not None:
            self.use(what)

    def _wait_no_more(self, reply: Reply) -> None:
        """What waits for a data connection gets none: its sender is told, the session is free."""
        what, self.waiting = self.waiting, None
        if isinstance(what, Upload):
            what.close()
            self._session.answer(what, reply)
        elif what is not None:
            self._session.respond(f"{reply.code} {reply.text}")


def _pasv(address: str, port: int) -> str:
    if ":" in address:
        return "425 PASV is for IPv4: use EPSV."
    return f"227 Entering passive mode ({address.replace('.', ',')},{port >> 8},{port & 255})."


def _epsv(port: int) -> str:
    return f"229 Entering extended passive mode (|||{port}|)."
