"""How a session logs in, and how slowly when its passwords are wrong."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from services.ftp import diary
from shared.ingest.accounts import Account, Attempt, Denied
from shared.text import printable

if TYPE_CHECKING:
    from services.ftp.session import Session

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3


def user(session: Session, name: str) -> None:
    session.forget_login()
    if not _tls_fits(session, name):
        return
    session.username = name
    session.respond("331 Now the password.")


def password(session: Session, text: str) -> None:
    if session.account or not session.username:
        session.respond("503 Log in with USER first, then PASS, once.")
        return
    if not _tls_fits(session, session.username):
        return
    session.control.hold()
    attempt = Attempt(
        session.address, session.username, text, lambda verdict: _decided(session, verdict)
    )
    session.attempt = attempt
    session.state.accounts.submit(attempt)
    session.server.look_at_logins()


def _tls_fits(session: Session, name: str) -> bool:
    """Whether this account may log in on this connection; if not, that is answered."""
    tls = session.state.accounts.tls_of(name)
    if tls == "required" and not session.secured:
        session.respond("534 This account is for FTPS only: switch the camera to explicit TLS.")
    elif tls == "plain" and session.secured:
        session.respond("534 This account is for plain FTP only: cameras.<name>.ftp.tls.")
    else:
        return True
    return False


def begin_anew(session: Session, _line: str) -> None:
    session.forget_login()
    session.respond("230 Log in again.")


def _decided(session: Session, verdict: Account | Denied) -> None:
    attempt, session.attempt = session.attempt, None
    if verdict is Denied.LATE:
        session.leave("421 Too many wrong passwords for this account; yours was not checked.")
    elif verdict is Denied.WRONG:
        assert attempt is not None
        session.later(attempt.answer_s, lambda: _turn_away(session))
    elif isinstance(verdict, Account):
        _welcome(session, verdict)
        session.control.resume()


def _welcome(session: Session, account: Account) -> None:
    session.welcome(account)
    session.respond("230 Logged in.")
    diary.logged_in(session)


def _turn_away(session: Session) -> None:
    log.warning(
        "wrong user or password for %r from %s",
        printable(session.username)[:64],
        session.address,
        extra={"action": "ftp_login_failed", "address": session.address},
    )
    session.username = ""
    session.wrong_passwords += 1
    if session.wrong_passwords >= MOST_ATTEMPTS:
        session.leave("530 Wrong user or password. Goodbye.")
    else:
        session.respond("530 Wrong user or password.")
