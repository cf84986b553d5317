"""One camera's session. The only file that knows the SMTP library.

The library reads commands and answers them. Ours is what it would hold in memory or decide too
early: how a mail is received, how somebody logs in, and whom a mail may be for.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from contextlib import suppress
from typing import Any, Protocol

from aiosmtpd.smtp import MISSING, SMTP, Envelope, TLSSetupException
from aiosmtpd.smtp import Session as Greeting

from services.mail.login import LogIn
from services.mail.receive import receive
from services.mail.state import ServerState
from shared.failpoint import reach
from shared.ingest.accounts import Account
from shared.text import one_line

log = logging.getLogger(__name__)

LIBRARY_LOG = "mail.log"
LOGIN_S = 60.0
GRACE_S = 2.0
"""So long the last answer may take to be sent."""
CALLS = {"*": 20, "MAIL": 1000, "RCPT": 1000, "DATA": 1000, "RSET": 1000}
"""So many of each command on one connection."""


class Server(Protocol):
    """What a session asks of its server."""

    state: ServerState
    loop: asyncio.AbstractEventLoop

    def look_at_logins(self) -> None:
        """Passwords wait to be checked."""

    def gone(self, session: Session) -> None:
        """The session is over."""


class Session(SMTP):
    """One camera that is connected. Belongs to the thread of the server."""

    line_length_limit = 65_536

    def __init__(self, server: Server, address: str, *, in_tls: bool) -> None:
        """``in_tls``: the connection begins with TLS."""
        self.address = address
        self.connected_at = time.monotonic()
        self.id = uuid.uuid4().hex
        self.account: Account | None = None
        self.busy = True
        """Whether it can't be sent away: TLS begins, or a mail is coming in."""
        self.state = server.state
        self._server = server
        self._in_tls = in_tls
        self._log_in = LogIn(self, server)
        section = server.state.section
        super().__init__(
            self,
            data_size_limit=section.max_bytes,
            enable_SMTPUTF8=True,
            hostname="snapbus",
            ident="takes pictures",
            tls_context=None if in_tls else server.state.protection.context,
            auth_require_tls=False,
            timeout=section.timeout_s,
            command_call_limit=CALLS,
            loop=server.loop,
        )

    @property
    def logged_in(self) -> bool:
        return self.account is not None

    @property
    def secured(self) -> bool:
        """Whether the connection is in TLS."""
        return self._in_tls or self._tls_protocol is not None

    def send_away(self, text: str) -> None:
        """Say a last word and hang up. Nothing happens once it is gone."""
        if self.transport is not None:
            with suppress(Exception):  # TLS may be in no state for words
                self._writer.write(text.encode() + b"\r\n")
            self._hang_up()

    def _hang_up(self) -> None:
        for each in (self.transport, self._original_transport):
            if isinstance(each, asyncio.WriteTransport):
                each.close()
                # Who does not read our last word would keep the connection.
                self.loop.call_later(GRACE_S, _abort, each)

    # What the library calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        first = self._original_transport is None
        super().connection_made(transport)
        self.account = None  # who it is has to be said again in TLS
        self.busy = False
        if first:
            self.loop.call_later(LOGIN_S, self._look_at_login)

    async def _handle_client(self) -> None:
        try:
            await super()._handle_client()
        except (ConnectionError, TimeoutError):
            pass
        finally:
            self._hang_up()
            self._server.gone(self)

    def _look_at_login(self) -> None:
        if self._log_in.waiting:
            self.loop.call_later(LOGIN_S, self._look_at_login)
        elif not self.logged_in:
            self.send_away("421 4.4.2 Log in sooner.")

    def _timeout_cb(self) -> None:
        self.send_away("421 4.4.2 Nothing came for too long.")

    async def handle_exception(self, error: Exception) -> str:
        """The answer to a command that failed by an error of ours."""
        if not isinstance(error, TLSSetupException):
            log.error("a session failed", exc_info=error, extra={"action": "mail_error"})
        return "451 4.3.0 Internal error; the log of the server says more."

    async def check_auth_needed(self, caller_method: str) -> bool:
        """Whether the command was refused, because nobody has logged in."""
        if self.account is None:
            await self.push("530 5.7.0 Log in first: with the account and password of the camera.")
        return self.account is None

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """The address and what follows it. What a sender is called is data: no address is wrong."""
        text = arg.strip()
        if text.startswith("<"):
            address, _, rest = text[1:].partition(">")
            return address.strip() or "<>", rest.strip()
        address, _, rest = text.partition(" ")
        return address, rest.strip()

    # Commands.

    async def handle_EHLO(
        self, _server: SMTP, session: Greeting, _envelope: Envelope, name: str, lines: list[str]
    ) -> list[str]:
        """The answer to EHLO: no password is asked for where none may be sent."""
        session.host_name = name
        needed = all(each.tls == "required" for each in self.state.present.values())
        if needed and not self.secured:
            lines = [each for each in lines if not each.startswith("250-AUTH")]
        return lines

    async def smtp_STARTTLS(self, arg: str) -> None:
        if self.secured:
            await self.push("503 5.5.1 This is TLS already.")
            return
        await asyncio.sleep(self.state.protection.wait_s(self.address))
        self.busy = True
        await super().smtp_STARTTLS(arg)
        self.busy = False
        if self._original_transport is not None and self._original_transport.is_closing():
            raise ConnectionResetError

    async def smtp_AUTH(self, arg: str) -> None:
        if not await self.check_helo_needed("EHLO"):
            await self._log_in.run(arg or "")

    async def smtp_VRFY(self, arg: str) -> None:
        await self.push("252 2.5.0 Send a mail, and see.")

    async def handle_MAIL(
        self, _server: SMTP, _session: Greeting, _envelope: Envelope, _address: str, _options: Any
    ) -> Any:
        """The answer to MAIL, unless the library's own will do."""
        assert self.account is not None
        refused = self.state.over_quota(self.account) or await self.state.room()
        if refused is None:
            return MISSING
        self.state.refused(self.account.camera, refused.text, refused.code)
        return str(refused)

    async def handle_RCPT(
        self, _server: SMTP, _session: Greeting, _envelope: Envelope, address: str, _options: Any
    ) -> Any:
        """The answer to RCPT: a camera writes to itself, and to nobody else."""
        assert self.account is not None
        camera = self.account.camera
        if address.partition("@")[0].lower() == camera:
            return MISSING
        text = f"Nothing is relayed: this account writes to {camera}@ only."
        self.state.refused(camera, f"{text} Not to {one_line(address, 100)!r}", 550)
        return f"550 5.7.1 {text}"

    async def smtp_DATA(self, arg: str) -> None:
        if await self.check_helo_needed() or await self.check_auth_needed("DATA"):
            return
        assert self.account is not None and self.envelope is not None
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 RCPT first.")
            return
        delivery = self.state.begin(self.account, self.id)
        self.busy = True
        self._reset_timeout(2 * self.state.section.mail_s)  # a mail has limits of its own
        try:
            await self.push("354 Send it, and then a line of one dot.")
            reply = await receive(self._reader, delivery, self.state)
        except TimeoutError:
            self.send_away("421 4.4.2 The mail did not come in time.")
            self.state.refused(delivery.camera, "The mail did not come in time", 421)
            return
        finally:
            self.busy = False
            self._reset_timeout()
            if not delivery.closed:
                self.state.forget(delivery)
        self.envelope = self._create_envelope()
        reach("mail.before_answer")
        await self.push(str(reply))
        reach("mail.answered")


def _abort(transport: asyncio.WriteTransport) -> None:
    with suppress(Exception):  # it is closed already
        transport.abort()
