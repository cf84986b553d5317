"""How a session logs in, and how slowly when its passwords are wrong."""

from __future__ import annotations

import asyncio
import binascii
import logging
from typing import TYPE_CHECKING

from services.mail.accounts import named
from shared.ingest.accounts import Account, Attempt, Denied
from shared.text import printable

if TYPE_CHECKING:
    from services.mail.smtp import Server, Session

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
LOOK_S = 0.1
"""How often waiting passwords are looked at."""


class LogIn:
    """The AUTH command of one session: PLAIN and LOGIN (RFC 4954)."""

    def __init__(self, session: Session, server: Server) -> None:
        self.waiting = False
        """Whether a password waits to be checked, or its answer to be given."""
        self._session = session
        self._server = server
        self._wrong = 0

    async def run(self, argument: str) -> None:
        """Answer ``AUTH <argument>``."""
        if self._session.logged_in:
            await self._session.push("503 5.5.1 You are logged in already.")
            return
        mechanism, _, first = argument.partition(" ")
        match mechanism.upper():
            case "PLAIN":
                found = await self._plain(first.strip())
            case "LOGIN":
                found = await self._login(first.strip())
            case _:
                await self._session.push("504 5.5.4 AUTH PLAIN and AUTH LOGIN are what there is.")
                return
        if found:
            self.waiting = True
            try:
                await self._check(*found)
            finally:
                self.waiting = False

    async def _plain(self, first: str) -> tuple[str, str] | None:
        said = await self._said(first, "")
        if said is None:
            return None
        parts = said.split(b"\0")
        if len(parts) != 3:
            await self._session.push("501 5.5.2 That is not AUTH PLAIN: name and password.")
            return None
        username = self._named(parts[1])
        return (username, _text(parts[2])) if await self._tls_fits(username) else None

    async def _login(self, first: str) -> tuple[str, str] | None:
        said = await self._said(first, "Username:")
        if said is None:
            return None
        username = self._named(said)
        if not await self._tls_fits(username):  # before the password is sent
            return None
        password = await self._said("", "Password:")
        return None if password is None else (username, _text(password))

    async def _said(self, first: str, challenge: str) -> bytes | None:
        """What it says to a challenge, or has said before it; None: that is answered."""
        if not first:
            answer = await self._session.challenge_auth(challenge)
            return answer if isinstance(answer, bytes) else None
        try:
            return binascii.a2b_base64(first.removeprefix("="), strict_mode=True)
        except ValueError:
            await self._session.push("501 5.5.2 That is not base64.")
            return None

    def _named(self, said: bytes) -> str:
        return named(self._session.state.present, _text(said))

    async def _tls_fits(self, username: str) -> bool:
        """Whether this account may log in on this connection; if not, that is answered."""
        tls, secured = self._session.state.accounts.tls_of(username), self._session.secured
        if tls == "required" and not secured:
            await self._session.push(
                "530 5.7.0 This account is for TLS only: switch the camera to STARTTLS or SSL."
            )
        elif tls == "plain" and secured:
            await self._session.push(
                "534 5.7.9 This account is for plain SMTP only: cameras.<name>.mail.tls."
            )
        else:
            return True
        return False

    async def _check(self, username: str, password: str) -> None:
        accounts = self._session.state.accounts
        verdict: asyncio.Future[Account | Denied] = self._session.loop.create_future()
        attempt = Attempt(self._session.address, username, password, verdict.set_result)
        accounts.submit(attempt)
        self._server.look_at_logins()
        try:
            decided = await verdict
        finally:
            accounts.withdraw(attempt)
        if isinstance(decided, Account):
            await self._welcome(decided)
        elif decided is Denied.LATE:
            self._session.send_away(
                "421 4.7.0 Too many wrong passwords for this account; yours was not checked."
            )
        else:
            await asyncio.sleep(attempt.answer_s)
            await self._turn_away(username)

    async def _welcome(self, account: Account) -> None:
        self._session.account = account
        log.info(
            "camera %s logged in from %s",
            account.camera,
            self._session.address,
            extra={
                "action": "mail_login",
                "camera": account.camera,
                "address": self._session.address,
                "tls": self._session.secured,
            },
        )
        await self._session.push("235 2.7.0 Logged in.")

    async def _turn_away(self, username: str) -> None:
        log.warning(
            "wrong user or password for %r from %s",
            printable(username)[:64],
            self._session.address,
            extra={"action": "mail_login_failed", "address": self._session.address},
        )
        self._wrong += 1
        if self._wrong >= MOST_ATTEMPTS:
            self._session.send_away("535 5.7.8 Wrong user or password. Goodbye.")
        else:
            await self._session.push("535 5.7.8 Wrong user or password.")


def _text(said: bytes) -> str:
    """Cameras say names and passwords in UTF-8, and old ones in Latin-1."""
    try:
        return said.decode()
    except UnicodeDecodeError:
        return said.decode("latin-1")
