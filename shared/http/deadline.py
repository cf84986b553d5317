"""A deadline over a whole exchange: name look-up, connection, TLS, request, answer.

The HTTP library's own time limits begin anew with every byte. Here a timer shuts the sockets when
the time is over, so that a server that sends one byte a second, nothing, or half a TLS handshake
ends like one that hangs up.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

from shared.http.errors import ConnectionFailed, Misdirected, TooSlow

CONNECT_S = 5.0
"""So long is waited for a connection, even if the deadline is far: a computer that is switched off
takes none, and one that is on takes it in milliseconds."""
Address = tuple[socket.AddressFamily, tuple[Any, ...]]


class Deadline:
    """Opens connections and shuts them after ``seconds``. Entering it starts the time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []
        self._cuts: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._over = False
        self._timer = threading.Timer(seconds, self.cut)
        self._timer.name = "http-deadline"
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._end = time.monotonic() + self.seconds
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        self.cut()
        self._timer.join()

    @property
    def remaining_s(self) -> float:
        """Seconds left; raises TooSlow when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.too_slow()
        return left

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._end

    def too_slow(self) -> TooSlow:
        """The error to raise when the deadline has passed."""
        return TooSlow(self.seconds)

    @contextmanager
    def cutting(self, cut: Callable[[], None]) -> Iterator[None]:
        """Call ``cut``, in another thread, if the time is over before this is left."""
        with self._lock:
            self._cuts.append(cut)
            over = self._over
        if over:
            cut()
        try:
            yield
        finally:
            with self._lock:
                self._cuts.remove(cut)

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection that the deadline shuts. Raises HttpError."""
        if self._over:
            raise self.too_slow()
        problem = f"{host} has no address"
        for family, address in self._resolve(host, port):
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(min(self.remaining_s, CONNECT_S))
                # A duplicate, because TLS takes the original over; shutting one shuts both.
                self.watch(connection.dup())
                connection.connect(address)
                connection.settimeout(self.remaining_s)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except TimeoutError:
                connection.close()
                if self.over:
                    raise self.too_slow() from None
                problem = f"{host}:{port} does not answer"
                continue
            except OSError as error:
                connection.close()
                if self.over:  # it was shut while it was being made
                    raise self.too_slow() from None
                problem = f"{host}:{port} can't be reached: {error.strerror or error}"
                continue
            except TooSlow:
                connection.close()
                raise
            return connection
        raise ConnectionFailed(problem)

    def _resolve(self, host: str, port: int) -> list[Address]:
        """The addresses of a host, looked up in a thread, which a dead name server may block."""
        with suppress(ValueError):
            ipaddress.ip_address(host.partition("%")[0])
            return _lookup(host, port)
        found: list[Address] = []
        errors: list[OSError | UnicodeError] = []

        def look() -> None:
            try:
                found.extend(_lookup(host, port))
            except (OSError, UnicodeError) as error:
                errors.append(error)

        thread = threading.Thread(target=look, name="http-lookup", daemon=True)
        thread.start()
        thread.join(self.remaining_s)
        if errors:
            raise Misdirected(f"no computer is called {host}")
        if thread.is_alive():
            raise self.too_slow()
        return found

    def watch(self, connection: socket.socket) -> None:
        """Shut and close this connection when the time is over."""
        with self._lock:
            self._sockets.append(connection)
            over = self._over
        if over:
            self.cut()

    def spare(self) -> None:
        """Leave what is open as it is from now on: the exchange is complete."""
        with self._lock:
            sockets, self._sockets = self._sockets, []
        for connection in sockets:
            connection.close()

    def cut(self) -> None:
        """Shut what is open, and whatever is opened after this, as if the time were over. Any
        thread."""
        with self._lock:
            self._over = True
            sockets, self._sockets = self._sockets, []
            cuts = tuple(self._cuts)
        for cut in cuts:
            cut()
        for connection in sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


def _lookup(host: str, port: int) -> list[Address]:
    return [
        (found[0], found[4]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ]
