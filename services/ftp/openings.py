"""How connections come to be: a socket that listens, and one that connects to the other side."""

from __future__ import annotations

import socket
from collections.abc import Callable

from services.ftp.loop import Loop

ACCEPTED_AT_ONCE = 32


class Acceptor:
    """A listening socket in the loop. ``accepted`` gets each connection and where it comes from;
    ``failed`` is called while what went wrong is handled."""

    def __init__(
        self,
        loop: Loop,
        listener: socket.socket,
        accepted: Callable[[socket.socket, str], None],
        failed: Callable[[], None],
    ) -> None:
        self.socket = listener
        self._fileno = listener.fileno()
        self.closed = False
        self._loop = loop
        self._accepted = accepted
        self._failed = failed
        listener.setblocking(False)
        self.resume()

    def pause(self) -> None:
        self._loop.unregister(self._fileno)

    def resume(self) -> None:
        if not self.closed:
            self._loop.register(self._fileno, self, self._loop.READ)

    def close(self) -> None:
        if not self.closed:
            self.pause()
            self.closed = True
            self.socket.close()

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def handle_read_event(self) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            if self.closed:
                return
            try:
                sock, address = self.socket.accept()
            except (BlockingIOError, ConnectionError):
                return
            self._accepted(sock, str(address[0]))

    def handle_error(self) -> None:
        self._failed()

    handle_close = handle_error


class Connector:
    """Connects to the other side. ``done`` gets the socket, or None when it can't be reached."""

    def __init__(
        self,
        loop: Loop,
        source: str,
        target: tuple[str, int],
        done: Callable[[socket.socket | None], None],
        failed: Callable[[], None],
    ) -> None:
        """Raises OSError for what can't even be tried."""
        family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._fileno = self._socket.fileno()
        self._loop = loop
        self._done = done
        self._failed = failed
        self.closed = False
        self._socket.setblocking(False)
        try:
            self._socket.bind((source, 0))
        except OSError:
            self._socket.close()
            raise
        self._socket.connect_ex(target)  # an error is told by the first event
        loop.register(self._fileno, self, loop.WRITE)

    def close(self) -> None:
        """Give up."""
        if not self.closed:
            self._leave()
            self._socket.close()

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def handle_write_event(self) -> None:
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        try:
            self._socket.getpeername()
        except OSError as reason:
            error = error or reason.errno or 1
        if error:
            self.close()
            self._done(None)
        else:
            self._leave()
            self._done(self._socket)

    handle_read_event = handle_write_event

    def handle_close(self) -> None:
        try:
            self.handle_write_event()
        except Exception:  # noqa: BLE001  the loop goes on
            self.handle_error()

    def handle_error(self) -> None:
        self._failed()

    def _leave(self) -> None:
        self.closed = True
        self._loop.unregister(self._fileno)
