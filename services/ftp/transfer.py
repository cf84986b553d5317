"""A data connection: a picture comes in, or a list of names goes out.

Here is decided where a picture's end is, and where it only broke off.
"""

from __future__ import annotations

import logging
import socket
import sys
import time
from typing import TYPE_CHECKING

from services.ftp.loop import End
from services.ftp.stream import Stream
from services.ftp.upload import Refused, Reply, Upload

if TYPE_CHECKING:
    from services.ftp.session import Session

log = logging.getLogger(__name__)

READ_BYTES = 262_144


class Transfer:
    """One data connection. It reads nothing before its command came."""

    def __init__(self, session: Session, sock: socket.socket) -> None:
        self._session = session
        self._upload: Upload | None = None
        self._began = time.monotonic()
        self._moved = self._moved_before = 0
        self.closed = False
        self.receiving = False
        self._stream = Stream(session.loop, sock, self, READ_BYTES, reading=False)
        self._wait()
        if session.protected:
            session.secure(self._stream)

    def receive(self, upload: Upload) -> None:
        """Take a picture."""
        self._upload, self.receiving = upload, True
        self._stream.read()

    def send(self, text: bytes) -> None:
        """Send this and close."""
        self._moved += 1
        self._stream.send(text)
        self._stream.finish()

    def close(self) -> None:
        """Hang up; what came in is forgotten."""
        if self.closed:
            return
        self.closed = True
        self._timer.cancel()
        self._stream.close()
        if self._upload is not None:
            self._upload.close()
            self._upload = None
        self._session.transfer_over(self)

    def cut(self, why: str, code: int = 451) -> None:
        """The upload ends before its end."""
        self._refuse(Reply(code, f"Upload incomplete: {why}. Send it again.", "cut"))

    # What the connection tells.

    def received(self, chunk: bytes) -> None:
        assert self._upload is not None
        self._moved += len(chunk)
        self._session.state.received_bytes += len(chunk)
        try:
            self._upload.write(chunk)
        except Refused as refused:
            self._refuse(refused.reply)

    def ended(self, how: End) -> None:
        if self._upload is None:
            self.close()
        elif how is End.BROKEN or (how is End.CLEAN and self._stream.was_reset()):
            self.cut("the connection broke")
        else:
            upload, self._upload = self._upload, None  # it is the executor's now
            upload.may_be_cut = how is End.RAGGED
            try:
                self._session.store(upload)
            except Exception:
                self._upload = upload
                raise
            self.close()

    def finished(self) -> None:
        self.close()
        self._session.respond("226 Transfer complete.")

    def failed(self) -> None:
        log.error(
            "a data connection failed", exc_info=sys.exception(), extra={"action": "ftp_error"}
        )
        self.cut("internal error")

    # Its time.

    def _wait(self) -> None:
        self._timer = self._session.loop.call_later(
            self._session.state.section.stall_s, self._look, _errback=self.failed
        )

    def _look(self) -> None:
        slow = time.monotonic() - self._began > self._session.state.section.upload_s
        if self._moved > self._moved_before and not slow:
            self._moved_before = self._moved
            self._wait()
            return
        if self.receiving:
            self.cut("it took too long" if slow else "no byte came for too long", 421)
        else:
            self.close()
        self._session.control.stream.finish()

    def _refuse(self, reply: Reply) -> None:
        upload = self._upload
        if self.closed:
            return
        self.close()  # first, as RFC 959 wants it
        if upload is not None:
            self._session.answer(upload, reply)
