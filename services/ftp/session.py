"""One camera's session: its uploads, the answers to them, its data connections."""

from __future__ import annotations

import time
import uuid
from functools import partial

from services.ftp.login import Login
from services.ftp.upload import Refused, Reply, Upload
from shared.failpoint import reach
from shared.text import printable

PASSIVE_WAIT_S = 5.0
PASSIVE_RETRY_S = 0.02


class Session(Login):
    """Mixed into the library's session, before it."""

    def ftp_QUIT(self, line: str) -> None:
        if self.data_channel is not None and not self.data_channel.receive:
            self.data_channel.close()  # its upload was refused, or never asked for
        if self.in_use or self._in_dtp_queue:
            self._quit_pending = True  # first the answer to the upload
        else:
            super().ftp_QUIT(line)  # type: ignore[misc]

    def ftp_STOR(self, path: str, _mode: str = "w") -> None:
        self._receive(path, "150 Send the picture.")

    def ftp_APPE(self, path: str) -> None:
        self._receive(path, "150 Send the picture, whole.")

    def ftp_STOU(self, line: str) -> None:
        name = f"{printable(line) or 'snapshot'}.{uuid.uuid4().hex[:8]}"
        self._receive(self.fs.ftp2fs(name), f"150 FILE: {name}")

    def _receive(self, path: str, answer: str) -> None:
        connector = self._dtp_connector
        waiting = self._dtp_acceptor or (connector and not connector._closed)
        if self._in_dtp_queue or (self.data_channel and self.data_channel.receive):
            self.respond("450 Another upload of this session is not finished.")
        elif not waiting and self.data_channel is None:
            self.respond("425 Use PASV or EPSV first.")
        else:
            self._begin(path, answer)

    def _begin(self, path: str, answer: str) -> None:
        assert self.account is not None
        try:
            upload = self.state.begin(self.account, self._session_id, path)
        except Refused as refused:
            self.respond(f"{refused.reply.code} {refused.reply.text}")
            return
        self.respond(answer)
        if self.data_channel is None:
            self._in_dtp_queue = (upload, "STOR")
        else:
            self.data_channel.file_obj = upload
            self.data_channel.enable_receiving("i", "STOR")

    def store(self, upload: Upload) -> None:
        """All bytes have come: have them stored, and answer afterwards."""
        self._busy = True

        def answer(reply: Reply) -> None:
            self._call_soon(partial(self._stored, upload, reply), self.handle_error)

        self.state.finish(upload, answer)

    def _stored(self, upload: Upload, reply: Reply) -> None:
        if reply.accepted and self.fs is not None:
            self.fs.add_file("/" + upload.name, upload.size)
        reach("ftp.before_answer")
        self.answer(upload, reply)
        reach("ftp.answered")
        if self._closed:
            return
        self._restart_idler()
        self._resume()

    def answer(self, upload: Upload, reply: Reply) -> None:
        """Tell the sender what became of its upload."""
        self.state.note(upload.camera, upload.name, upload.size, reply)
        self.respond(f"{reply.code} {reply.text}")
        if self._quit_pending and not self._closed:
            self.leave("221 Goodbye.")

    def _make_epasv(self, extmode: bool = False, deadline: float = 0.0) -> None:
        """Open a passive socket; where the range is in use, wait for a port to become free."""
        self._shutdown_connecting_dtp()
        if self.data_channel is not None:
            self.data_channel.close()
        address = self.socket.getsockname()[0]
        listener = self.state.passive_socket(self.socket.family, address)
        deadline = deadline or time.monotonic() + PASSIVE_WAIT_S
        if listener:
            port = listener.getsockname()[1]
            self._dtp_acceptor = self.open_passive(listener)
            self.respond(_epsv(port) if extmode else _pasv(self._outer(address), port))
        elif time.monotonic() < deadline:
            self._busy = True
            self.call_later(PASSIVE_RETRY_S, self._retry_passive, extmode, deadline)
            return
        else:
            self.respond("425 All passive ports are in use (ftp.passive_ports). Try again.")

    def _retry_passive(self, extmode: bool, deadline: float) -> None:
        self._busy = False
        self._make_epasv(extmode, deadline)
        if not self._busy:
            self._resume()

    def connected_or_not(self) -> None:
        """The sender has connected, but the connection may have broken in that moment."""
        if self.data_channel is None:
            self._wait_no_more(Reply(451, "Upload incomplete: the connection broke.", "cut"))

    def _on_dtp_connection(self) -> None:
        self._dtp_connector = None  # the library would take it for one that still connects
        super()._on_dtp_connection()  # type: ignore[misc]

    def _shutdown_connecting_dtp(self) -> None:
        super()._shutdown_connecting_dtp()  # type: ignore[misc]
        self._wait_no_more(Reply(425, "No data connection came. Send it again.", "cut"))

    def _wait_no_more(self, reply: Reply) -> None:
        """What waits for a data connection gets none: its sender is told, the session is free."""
        if self._out_dtp_queue:
            self._out_dtp_queue = None  # a listing
            self.respond(f"{reply.code} {reply.text}")
        if self._in_dtp_queue:
            upload, self._in_dtp_queue = self._in_dtp_queue[0], None
            self.answer(upload, reply)

    def _outer(self, address: str) -> str:
        inner = address.removeprefix("::ffff:")
        local = self.remote_ip.removeprefix("::ffff:").startswith("127.")
        return inner if local else self.state.outer_address or inner

    def _on_dtp_close(self) -> None:
        self.data_channel = None
        if self._closed or self._busy:
            return
        self._restart_idler()

    def close(self) -> None:
        if not self._closed and self.data_channel is not None and self.data_channel.receive:
            # Cameras hang up once they have sent the last byte: that upload may still be whole.
            self.data_channel = None
        super().close()  # type: ignore[misc]


def _pasv(address: str, port: int) -> str:
    if ":" in address:
        return "425 PASV is for IPv4: use EPSV."
    return f"227 Entering passive mode ({address.replace('.', ',')},{port >> 8},{port & 255})."


def _epsv(port: int) -> str:
    return f"229 Entering extended passive mode (|||{port}|)."
