"""The control channel of one session: commands in, answers out, in the same order.

While an upload is being stored or a login waits, further commands queue.
"""

from __future__ import annotations

import logging
import uuid
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from services.ftp.commands import Commands
from services.ftp.state import ServerState
from services.ftp.upload import Upload
from shared.ingest.accounts import Account
from shared.text import printable

log = logging.getLogger(__name__)

LONGEST_LINE = 2048
MOST_PIPELINED = 50
MOST_UNSENT = 200


class ControlChannel(Commands):
    """Mixed into the library's session, before it; ``start`` comes first."""

    fs: Any
    data_channel: Any
    username: str
    timeout: float
    _idler: Any
    _in_buffer: list[bytes]
    _in_buffer_len: int
    _in_dtp_queue: tuple[Upload, str] | None
    _out_dtp_queue: Any
    _dtp_connector: Any

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def start(self, state: ServerState, call_soon: Callable[..., None]) -> None:
        """Set up what is ours. ``call_soon`` calls in the server's thread."""
        self.state = state
        self.account: Account | None = None
        self._call_soon = call_soon
        self._session_id = uuid.uuid4().hex
        self._busy = False
        self._leaving = False
        self._pipelined: deque[bytes] = deque()

    @property
    def in_use(self) -> bool:
        """Whether an upload is coming in or being stored."""
        return self._busy or self.data_channel is not None

    def collect_incoming_data(self, data: bytes) -> None:
        self._in_buffer.append(data)
        self._in_buffer_len += len(data)
        if self._in_buffer_len > LONGEST_LINE:
            self._in_buffer, self._in_buffer_len = [], 0
            self.leave("500 Line too long.")

    def found_terminator(self) -> None:
        line = b"".join(self._in_buffer).rstrip(b"\r")
        self._in_buffer, self._in_buffer_len = [], 0
        if self._closed or self._closing:
            return
        if not self._busy:
            self._execute(line)
        elif len(self._pipelined) < MOST_PIPELINED:
            self._pipelined.append(line)
        else:
            self.leave("421 Too many commands at once.")

    def _execute(self, raw: bytes) -> None:
        if self._idler is not None and not self._idler.cancelled:
            self._idler.reset()
        try:
            line = raw.decode()
        except UnicodeDecodeError:
            line = raw.decode("latin-1")  # every byte is a letter there
        command, _, argument = line.partition(" ")
        self.pre_process_command(line, command.upper(), argument)

    def _resume(self) -> None:
        """Take up the commands that queued."""
        self._busy = False
        if self._leaving:
            self.leave("421 The server is stopping.")
        while self._pipelined and not self._busy and not self._closed:
            self._execute(self._pipelined.popleft())

    def respond(self, answer: str, logfun: object = None) -> None:
        if self._closed:
            return
        if len(self.producer_fifo) > MOST_UNSENT:  # it asks and asks, and reads no answer
            self.close()
            return
        self._last_response = answer
        self.push(answer + "\r\n")

    def respond_w_warning(self, answer: str) -> None:
        log.warning(
            "told %s: %s", self.remote_ip, printable(answer), extra={"action": "ftp_refused"}
        )
        self.respond(answer)

    def leave(self, answer: str) -> None:
        """Say a last word and hang up."""
        self.respond(answer)
        if not self._closed:
            self.close_when_done()

    def stop(self) -> None:
        """The server stops: hang up, but not before the answer to an upload."""
        self._leaving = True
        if not self.in_use:
            self.leave("421 The server is stopping.")

    def _restart_idler(self) -> None:
        if self._idler is not None and not self._idler.cancelled:
            self._idler.cancel()
        self._idler = self.ioloop.call_later(
            self.timeout, self.handle_timeout, _errback=self.handle_error
        )
