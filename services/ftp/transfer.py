"""A data connection on which a picture comes in: where its end is, and where it only broke off."""

from __future__ import annotations

import logging
import sys
from socket import SO_ERROR, SOL_SOCKET
from typing import TYPE_CHECKING, Any

from services.ftp.upload import Refused, Reply, Upload

log = logging.getLogger(__name__)


class Transfer:
    """Mixed into the library's data connection, before it."""

    ac_in_buffer_size = 262_144
    file_obj: Upload | None
    tot_bytes_received: int
    _lastdata: int

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __repr__(self) -> str:
        return "<data connection>"

    def readable(self) -> bool:
        if not self.receive and not self._initialized:
            # It sends before its STOR was read; enable_receiving() listens again.
            self.del_channel()
        return bool(self.receive)

    def handle_read(self) -> None:
        try:
            chunk = self.socket.recv(self.ac_in_buffer_size)
        except BlockingIOError:
            return
        except OSError:
            self.cut("the connection broke")
            return
        if not chunk:
            self._ended()
            return
        self.tot_bytes_received += len(chunk)
        self.cmd_channel.state.received_bytes += len(chunk)
        assert self.file_obj is not None
        try:
            self.file_obj.write(chunk)
        except Refused as refused:
            self._end(refused.reply)

    handle_read_event = handle_read

    def handle_close(self) -> None:
        if self.receive:
            self.cut("the connection broke")
        else:
            super().handle_close()  # type: ignore[misc]

    def handle_timeout(self) -> None:
        slow = self.get_elapsed_time() > self.cmd_channel.state.section.upload_s
        if self.get_transmitted_bytes() > self._lastdata and not slow:
            self._lastdata = self.get_transmitted_bytes()
            return
        session = self.cmd_channel
        if self.receive:
            self.cut("it took too long" if slow else "no byte came for too long", 421)
        else:
            self.close()
        session.close_when_done()

    def handle_error(self) -> None:
        log.error(
            "a data connection failed", exc_info=sys.exception(), extra={"action": "ftp_error"}
        )
        self.cut("internal error")

    def cut(self, why: str, code: int = 451) -> None:
        """The upload ends before its end."""
        self._end(Reply(code, f"Upload incomplete: {why}. Send it again.", "cut"))

    def _ended(self) -> None:
        if self.socket.getsockopt(SOL_SOCKET, SO_ERROR):
            self.cut("the connection broke")
            return
        self.cmd_channel.store(self.file_obj)
        self.file_obj = None  # it is the executor's now
        self.close()

    def _end(self, reply: Reply) -> None:
        upload, self.file_obj = self.file_obj, None
        if self._closed:
            return
        self.close()  # first, as RFC 959 wants it
        if upload is not None:
            upload.close()
            self.cmd_channel.answer(upload, reply)

    def close(self) -> None:
        if self.file_obj is not None:  # closed by the session: ABOR, or a new PASV
            self.file_obj.close()
            self.file_obj = None
        super().close()  # type: ignore[misc]
