"""The lines of one control connection: commands in, answers out, in the same order.

While an upload is being stored or a login waits, further commands queue.
"""

from __future__ import annotations

import logging
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from services.ftp.loop import End, Loop
from services.ftp.stream import Stream

log = logging.getLogger(__name__)

READ_BYTES = 4096
LONGEST_LINE = 2048
MOST_PIPELINED = 50
MOST_UNSENT = 16_384


class Talk(Protocol):
    """Whom the commands are for. ``in_use``: it is not silent, although no command comes."""

    @property
    def in_use(self) -> bool: ...
    def execute(self, line: str) -> None: ...
    def control_closed(self) -> None: ...


class Control:
    """One control connection. ``timeout_s``: it is closed after so much silence."""

    def __init__(self, loop: Loop, sock: socket.socket, talk: Talk, timeout_s: float) -> None:
        self.loop = loop
        self.timeout_s = timeout_s
        self.busy = False
        self.leaving = ""
        self.closed = False
        self._talk = talk
        self._pipelined: deque[bytes] = deque()
        self._line = bytearray()
        # Clients send an abort as urgent data, which comes in its place like this.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        self.stream = Stream(loop, sock, self, READ_BYTES)
        self.touch()
        self._look_later(timeout_s)

    def respond(self, answer: str) -> None:
        """Send an answer."""
        if self.stream.unsent > MOST_UNSENT:  # it asks and asks, and reads no answer
            self.close()
        else:
            self.stream.send(f"{answer}\r\n".encode(errors="replace"))

    def leave(self, answer: str) -> None:
        """Say a last word and hang up."""
        self.respond(answer)
        self.stream.finish()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._timer.cancel()
            self.stream.close()
            self._talk.control_closed()

    # What the connection tells.

    def received(self, chunk: bytes) -> None:
        self._line += chunk
        while not (self.closed or self.stream.finishing):
            end = self._line.find(b"\n")
            if (len(self._line) if end < 0 else end) > LONGEST_LINE:
                self.leave("500 Line too long.")
            elif end < 0:
                return
            else:
                line = bytes(self._line[:end]).rstrip(b"\r")  # some cameras leave out the \r
                del self._line[: end + 1]
                self._take(line)

    def ended(self, how: End) -> None:
        self.close()

    finished = close

    def failed(self) -> None:
        log.error("a session failed", exc_info=sys.exception(), extra={"action": "ftp_error"})
        self.close()

    def _take(self, line: bytes) -> None:
        if not self.busy:
            self._execute(line)
        elif len(self._pipelined) < MOST_PIPELINED:
            self._pipelined.append(line)
        else:
            self.leave("421 Too many commands at once.")

    def _execute(self, raw: bytes) -> None:
        try:
            line = raw.decode()
        except UnicodeDecodeError:
            line = raw.decode("latin-1")  # every byte is a letter there
        self._talk.execute(line)

    def forget(self) -> None:
        """Forget what came ahead: it was sent in the clear, perhaps by somebody else."""
        self._line.clear()
        self._pipelined.clear()

    # Waiting.

    def hold(self) -> None:
        """Let further commands queue, until ``resume``."""
        self.busy = True

    def resume(self) -> None:
        """Take up the commands that queued."""
        self.busy = False
        self.touch()
        if self.leaving:
            self.leave(self.leaving)
        while self._pipelined and not (self.busy or self.closed or self.stream.finishing):
            self._execute(self._pipelined.popleft())

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call that later; until then commands queue."""
        self.hold()

        def go_on() -> None:
            if self.closed:
                return
            self.busy = False
            call()
            if not self.busy:
                self.resume()

        self.loop.call_later(seconds, go_on, _errback=self.failed)

    def touch(self) -> None:
        """It is not silent now."""
        self._active_at = time.monotonic()

    def _look_later(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._look, _errback=self.failed)

    def _look(self) -> None:
        """Whether it is silent for too long."""
        left = self._active_at + self.timeout_s - time.monotonic()
        if self._talk.in_use or left > 0:
            self._look_later(self.timeout_s if self._talk.in_use else left)
        elif self.stream.finishing:
            self.close()  # it does not take our last word
        else:
            self._look_later(self.timeout_s)
            self.leave("421 Nothing came for too long.")
