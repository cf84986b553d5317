"""HTTP as PyDrive2 uses it, ended by a deadline."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

import httplib2

from shared.http.deadline import Deadline


class Http(httplib2.Http):  # type: ignore[misc]
    """Ends what is in its way when the deadline is over."""

    deadline: Deadline | None = None

    def __init__(self, timeout_s: float) -> None:
        super().__init__(timeout=timeout_s)
        self.redirect_codes: frozenset[int] = (
            frozenset()
        )  # Drive redirects nowhere; 308 means "go on"
        self.follow_redirects = False

    def _conn_request(self, conn: Any, *args: Any) -> Any:
        if self.deadline is None:
            return super()._conn_request(conn, *args)
        conn.timeout = self.deadline.remaining_s
        with self.deadline.cutting(lambda: _shut(conn)):
            return super()._conn_request(conn, *args)


def _shut(connection: Any) -> None:
    if (sock := connection.sock) is not None:
        with suppress(OSError):
            # Not the method of a TLS socket, which takes itself apart in another thread's hands.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
