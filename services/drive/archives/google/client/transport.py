"""HTTP as PyDrive2 uses it, ended by a deadline and a size; proxies of the environment are not
used."""

from __future__ import annotations

import http.client
import socket
from contextlib import suppress
from typing import Any

import httplib2

from shared.http.deadline import Deadline

MOST_BYTES = 32 << 20
"""Of one answer: a part of a file, or a page of a list."""


class _Answer(http.client.HTTPResponse):
    """Raises ValueError for an answer of more than MOST_BYTES."""

    def read(self, amt: int | None = None) -> bytes:
        if amt is not None:
            return super().read(amt)
        found = super().read(MOST_BYTES + 1)
        if len(found) > MOST_BYTES:
            self.close()
            raise ValueError("the answer is too large")
        if self.length:
            raise http.client.IncompleteRead(found, self.length)
        return found


class Http(httplib2.Http):  # type: ignore[misc]
    """Ends what is in its way when the deadline is over."""

    deadline: Deadline | None = None

    def __init__(self, timeout_s: float) -> None:
        super().__init__(timeout=timeout_s, proxy_info=None)
        self.redirect_codes: frozenset[int] = (
            frozenset()
        )  # Drive redirects nowhere; 308 means "go on"
        self.follow_redirects = False

    def _conn_request(self, conn: Any, *args: Any) -> Any:
        conn.response_class = _Answer
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
