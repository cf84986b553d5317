"""How a session logs in, and how slowly when its passwords are wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from services.ftp.control import ControlChannel
from services.ftp.filesystem import VirtualFilesystem
from shared.ingest.accounts import LONGEST_DELAY_S, Account
from shared.text import printable

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3


class Login(ControlChannel):
    """Mixed into the library's session, before it."""

    def ftp_PASS(self, password: str) -> None:
        if self.authenticated or not self.username:
            self.respond("503 Log in with USER first, then PASS, once.")
            return
        wait = self.state.accounts.wait_s(self.remote_ip, self.username)
        if wait > LONGEST_DELAY_S:
            self.leave("421 Too many wrong passwords from this address; try again later.")
        elif wait:
            self._later(wait, partial(self._check, password))
        else:
            self._check(password)

    def _check(self, password: str) -> None:
        account = self.state.accounts.check(self.remote_ip, self.username, password)
        if account:
            self._welcome(account)
        else:
            delay = self.state.accounts.delay_s(self.remote_ip, self.username)
            self._later(delay, self._turn_away)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call that later; until then commands queue."""

        def resume() -> None:
            if not self._closed:
                call()
                if call != self._turn_away and not self.authenticated:
                    return  # the answer to a wrong password is still to come
                self._resume()

        self._busy = True
        self.call_later(seconds, resume)

    def _welcome(self, account: Account) -> None:
        self.account = account
        self.authenticated = True
        self.attempted_logins = 0
        self.fs = VirtualFilesystem()
        self.timeout = self.state.section.timeout_s
        self._restart_idler()
        self.respond("230 Logged in.")
        log.info(
            "camera %s logged in from %s",
            account.camera,
            self.remote_ip,
            extra={"action": "ftp_login", "camera": account.camera, "address": self.remote_ip},
        )

    def _turn_away(self) -> None:
        log.warning(
            "wrong user or password for %r from %s",
            printable(self.username)[:64],
            self.remote_ip,
            extra={"action": "ftp_login_failed", "address": self.remote_ip},
        )
        self.username = ""
        self.attempted_logins += 1
        if self.attempted_logins >= MOST_ATTEMPTS:
            self.leave("530 Wrong user or password. Goodbye.")
        else:
            self.respond("530 Wrong user or password.")

    def flush_account(self) -> None:
        super().flush_account()  # type: ignore[misc]
        self.account = None
        self.fs = None
        self._current_type = "i"
