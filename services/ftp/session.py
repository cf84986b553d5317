"""One camera's session: its login, its uploads, the answers to them."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Protocol

from services.ftp import diary
from services.ftp.commands import COMMANDS, URGENT
from services.ftp.control import Control
from services.ftp.data import DataPort
from services.ftp.filesystem import VirtualFilesystem
from services.ftp.loop import Loop
from services.ftp.state import ServerState
from services.ftp.stream import Stream
from services.ftp.transfer import Transfer
from services.ftp.upload import Refused, Reply, Upload
from shared.failpoint import reach
from shared.ingest.accounts import Account, Attempt
from shared.text import printable

LOGIN_S = 60.0


class Server(Protocol):
    """What a session asks of its server."""

    loop: Loop
    state: ServerState

    @property
    def call_soon(self) -> Callable[[Callable[[], None], Callable[[], None]], None]:
        """Call the first in the server's thread, the second if that fails. Any thread."""

    def look_at_logins(self) -> None:
        """Passwords wait to be checked."""

    def gone(self, session: Session) -> None:
        """The session is over, and so is its last upload."""


class Session:
    """One camera that is connected. Belongs to the thread of the server."""

    def __init__(self, sock: socket.socket, address: str, server: Server) -> None:
        self.address = address
        self.state, self.loop = server.state, server.loop
        self.account: Account | None = None
        self.username = ""
        self.last_camera = ""
        """The account of its last login."""
        self.uploads = 0
        """How many of them were taken."""
        self.wrong_passwords = 0
        self.fs = VirtualFilesystem(self.state.folders)
        self.rename_from = ""
        self.protected = False
        """Whether data connections are in TLS: PROT P."""
        self.quitting = False
        self.id = uuid.uuid4().hex
        self.connected_at = time.monotonic()
        self.server = server
        self.attempt: Attempt | None = None
        """The login that waits to be checked."""
        self._storing = self._gone = False
        self.data = DataPort(self)
        timeout_s = min(LOGIN_S, self.state.section.timeout_s)
        self.control = Control(self.loop, sock, self, timeout_s)
        self.respond = self.control.respond
        self.leave = self.control.leave
        self.later = self.control.later
        self.failed = self.control.failed
        self.respond("220 Snapbus takes pictures.")

    @property
    def socket(self) -> socket.socket:
        """Of the control connection."""
        return self.control.stream.socket

    @property
    def in_use(self) -> bool:
        """Whether an upload is coming in or being stored, or a login waits."""
        return self.control.busy or self.data.transfer is not None

    @property
    def logged_in(self) -> bool:
        return self.account is not None

    @property
    def busy(self) -> bool:
        """Whether it can't be sent away: an upload is coming in, or it is gone."""
        return self.data.transfer is not None or self.control.closed

    def send_away(self, text: str) -> None:
        """Hang up, for others who need the place."""
        self.leave(text)
        self.control.close()

    @property
    def secured(self) -> bool:
        """Whether the control connection is in TLS."""
        return self.control.stream.secured

    def secure(self, stream: Stream) -> None:
        """Have TLS on this connection of the camera."""
        stream.secure(self.state.protection.context, self.state.protection.wait_s(self.address))

    def stop(self) -> None:
        """The server stops: hang up, but not before the answer to an upload."""
        self.control.leaving = "421 The server is stopping."
        if not self.in_use:
            self.leave(self.control.leaving)

    def control_closed(self) -> None:
        """Cameras hang up once they have sent the last byte: what comes in is still heard."""
        if self.attempt:
            self.state.accounts.withdraw(self.attempt)
        self.data.leave()
        self._gone_perhaps()

    def execute(self, line: str) -> None:
        """Do what a line of the camera says."""
        if self.account:
            self.control.touch()
        word, _, argument = line.partition(" ")
        word = word.upper()
        if word.endswith(URGENT):
            word = word[-4:]  # a Telnet signal goes before it
        command = COMMANDS.get(word)
        if command is None:
            self.respond(f'500 "{printable(word, 20)}" is not known here.')
        elif command.login and self.account is None:
            self.respond("530 Log in with USER and PASS first.")
        elif command.argument and not argument:
            self.respond("501 Something is missing after the command.")
        else:
            command.run(self, argument)

    def welcome(self, account: Account) -> None:
        """The password was right."""
        self.account, self.last_camera = account, account.camera
        self.wrong_passwords = 0
        self.fs = VirtualFilesystem(self.state.folders)
        self.control.timeout_s = self.state.section.timeout_s
        self.control.touch()

    def forget_login(self) -> None:
        """Whoever comes next logs in anew; an upload goes on."""
        self.account, self.username, self.rename_from = None, "", ""
        if not self.data.receiving:
            self.data.drop()

    def begin(self, path: str, answer: str) -> None:
        """Take a picture under this name; ``answer`` asks for it."""
        assert self.account is not None
        if self.data.waiting is not None or self.data.receiving:
            self.respond("450 Another upload of this session is not finished.")
        elif self.data_allowed():
            try:
                upload = self.state.begin(self.account, self.id, path)
            except Refused as refused:
                self.respond(f"{refused.reply.code} {refused.reply.text}")
                return
            self.respond(answer)
            self.data.use(upload)

    def data_allowed(self) -> bool:
        """Whether a data connection may be used now; if not, that is answered."""
        if self.account and self.account.tls == "required" and not self.protected:
            self.respond("522 Only in TLS: send PBSZ 0 and PROT P before the data connection.")
        elif not self.data.awaited:
            self.respond("425 Use PASV or EPSV first.")
        else:
            return True
        return False

    def store(self, upload: Upload) -> None:
        """All bytes have come: have them stored, and answer afterwards."""
        self.control.hold()
        self._storing = True

        def answer(reply: Reply) -> None:
            self.server.call_soon(partial(self._stored, upload, reply), failed)

        def failed() -> None:
            self._storing = False
            self.failed()

        self.state.finish(upload, answer)

    def _stored(self, upload: Upload, reply: Reply) -> None:
        self._storing = False
        if reply.accepted:
            self.uploads += 1
            self.fs.add_file("/" + upload.name, upload.size)
        reach("ftp.before_answer")
        self.answer(upload, reply)
        reach("ftp.answered")
        if self.control.closed:
            self._gone_perhaps()
        else:
            self.control.resume()

    def answer(self, upload: Upload, reply: Reply) -> None:
        """Tell the sender what became of its upload."""
        self.state.note(upload.camera, upload.name, upload.size, reply)
        self.respond(f"{reply.code} {reply.text}")
        if self.quitting:
            self.leave("221 Goodbye.")

    def transfer_over(self, transfer: Transfer) -> None:
        """A data connection is closed."""
        if self.data.transfer is transfer:
            self.data.transfer = None
        self.control.touch()
        self._gone_perhaps()

    def _gone_perhaps(self) -> None:
        if self.control.closed and self.data.transfer is None and not self._storing:
            if not self._gone:
                diary.left(self)
            self._gone = True
            self.server.gone(self)

    def outer(self, address: str) -> str:
        """Where the other side finds this server, by the address it is reached at."""
        return outer(address, self.address, self.state.outer_address)


def outer(address: str, peer: str, outside: str) -> str:
    """Neighbours on this machine are told its real address, all others the outer one."""
    inner = address.removeprefix("::ffff:")
    return inner if peer.removeprefix("::ffff:").startswith("127.") else outside or inner
