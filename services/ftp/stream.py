"""One connection in the loop of the server, plain or TLS.

The loop is the FTP library's, but nothing here inherits from the library: a connection tells its
user what came and how it ended.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

from services.ftp.loop import End, Loop, User

RECORDS_AT_ONCE = 16
"""TLS gives one record of 16 kB at a time; so many are read before others have their turn."""

_RAGGED = "UNEXPECTED_EOF_WHILE_READING"


class Stream:
    """One connection. Belongs to the thread of the loop. ``read_bytes``: taken at once."""

    def __init__(
        self, loop: Loop, sock: socket.socket, user: User, read_bytes: int, reading: bool = True
    ) -> None:
        self.closed = False
        self.finishing = False
        self.secured = False
        self.socket = sock
        self._fileno = sock.fileno()
        self._loop = loop
        self._user = user
        self._read_bytes = read_bytes
        self._unsent = bytearray()
        self._watched = 0
        self._handshake = 0
        """What the TLS handshake waits for; 0: there is none under way."""
        self._held = False
        sock.setblocking(False)
        with suppress(OSError):
            # Two answers in a row would else wait 40 ms for the camera's acknowledgement.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reading = reading
        self._watch()

    @property
    def shaking_hands(self) -> bool:
        """Whether a TLS handshake is not finished."""
        return bool(self._handshake)

    @property
    def unsent(self) -> int:
        """Bytes that the other side has not taken yet."""
        return len(self._unsent)

    def was_reset(self) -> bool:
        """Whether a reset came after an end: in plain TCP bytes may have been lost before it."""
        return not self.secured and self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0

    def read(self) -> None:
        """Begin to read, or go on."""
        self._reading = True
        self._watch()

    def send(self, data: bytes) -> None:
        """Send, now or as soon as the other side takes it."""
        if self.closed or self.finishing:
            return
        self._unsent += data
        if not self._handshake:
            self._flush()

    def finish(self) -> None:
        """Close once all is sent, then tell the user."""
        if self.closed or self.finishing:
            return
        self.finishing = True
        if not (self._unsent or self._handshake):
            self._finished()
        else:
            self._watch()

    def secure(self, context: ssl.SSLContext, after_s: float = 0.0) -> None:
        """Go on in TLS: the other side's handshake comes next, and is looked at so much later."""
        self.secured = True
        self._held = after_s > 0
        self._handshake = self._loop.READ
        try:
            self.socket = context.wrap_socket(
                self.socket,
                server_side=True,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
            )
        except (OSError, ValueError):  # it is gone already, and its descriptor is closed
            self._loop.unregister(self._fileno)
            self._watched, self._held = 0, True
            self._end_soon()
            return
        if self._held:
            self._loop.call_later(after_s, self._shake)
        self._watch()

    def close(self) -> None:
        """Hang up, in TLS with a last word."""
        if self.closed:
            return
        self.closed = True
        self._watch()
        if self.secured and not self._handshake and isinstance(self.socket, ssl.SSLSocket):
            with suppress(OSError, ValueError):
                self.socket.unwrap()  # sends close_notify; the answer is not waited for
        self.socket.close()

    # What the loop calls.

    def readable(self) -> bool:
        return True

    writable = readable

    def handle_read_event(self) -> None:
        if self._handshake:
            self._shake_hands()
            return
        for _ in range(RECORDS_AT_ONCE if self.secured else 1):
            if self.closed or self.finishing or not (self._reading and self._receive()):
                return

    def handle_write_event(self) -> None:
        if self._handshake:
            self._shake_hands()
        else:
            self._flush()

    def handle_close(self) -> None:
        try:
            self._over(End.BROKEN)
        except Exception:  # noqa: BLE001  the loop goes on
            self.handle_error()

    def handle_error(self) -> None:
        self._user.failed()

    # What it does itself.

    def _receive(self) -> bool:
        """Hand on what is there; whether there may be more."""
        try:
            chunk = self.socket.recv(self._read_bytes)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except ssl.SSLZeroReturnError:
            chunk = b""
        except ssl.SSLEOFError as error:  # a reset is called so too, without a reason
            self._over(End.RAGGED if error.reason == _RAGGED else End.BROKEN)
            return False
        except OSError:
            self._over(End.BROKEN)
            return False
        if chunk:
            self._user.received(chunk)
        else:
            self._over(End.CLEAN)
        return bool(chunk)

    def _flush(self) -> None:
        try:
            while self._unsent and not self.closed:
                sent = self.socket.send(self._unsent)
                del self._unsent[:sent]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        except OSError:
            self._end_soon()
            return
        if self.finishing and not self._unsent:
            self._finished()
        else:
            self._watch()

    def _shake_hands(self) -> None:
        assert isinstance(self.socket, ssl.SSLSocket)
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            self._handshake = self._loop.READ
        except ssl.SSLWantWriteError:
            self._handshake = self._loop.WRITE
        except (OSError, ValueError):
            self._over(End.BROKEN)
            return
        else:
            self._handshake = 0
            self._flush()
        self._watch()

    def _shake(self) -> None:
        self._held = False
        self._watch()

    def _end_soon(self) -> None:
        """Not within the call of the user that wanted to send."""
        self._unsent.clear()
        self._loop.call_later(0, self.handle_close)

    def _over(self, how: End) -> None:
        if self.closed:
            return
        if self.finishing:
            self._finished()
        else:
            self._user.ended(how)

    def _finished(self) -> None:
        self.close()
        self._user.finished()

    def _watch(self) -> None:
        """Have the loop watch for what is wanted now, and for nothing else."""
        wanted = 0
        if self._handshake:
            wanted = self._handshake
        elif self._unsent:
            wanted = self._loop.WRITE
        if self._reading and not (self.finishing or self._handshake):
            wanted |= self._loop.READ
        if self.closed or self._held:
            wanted = 0
        if wanted == self._watched:
            return
        if not wanted:
            self._loop.unregister(self._fileno)
        elif self._watched:
            self._loop.modify(self._fileno, wanted)
        else:
            self._loop.register(self._fileno, self, wanted)
        self._watched = wanted
