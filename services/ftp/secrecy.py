"""The FTP commands about TLS (RFC 4217)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.ingest import protection

if TYPE_CHECKING:
    from services.ftp.session import Session


def start_tls(session: Session, kind: str) -> None:
    """The control connection goes on in TLS; who it is has to be said again there."""
    if session.secured:
        session.respond("503 This is TLS already.")
    elif kind.upper() not in ("TLS", "TLS-C", "SSL", "TLS-P"):
        session.respond("504 AUTH TLS is what there is.")
    else:
        control = session.control
        session.forget_login()
        session.respond("234 Begin with TLS.")
        if control.stream.unsent:  # it has not read the answers before this one
            control.close()
            return
        control.forget()
        session.secure(control.stream)

        def look() -> None:
            if control.stream.shaking_hands:
                control.close()

        session.loop.call_later(protection.HANDSHAKE_S, look, _errback=session.failed)


def buffer_size(session: Session, _line: str) -> None:
    session.respond("200 PBSZ=0" if session.secured else "503 AUTH TLS first.")


def protect(session: Session, level: str) -> None:
    """Whether data connections are in TLS as well."""
    level = level.strip().upper()
    if not session.secured:
        session.respond("503 AUTH TLS first.")
    elif level not in ("P", "C"):
        session.respond("536 PROT P, or PROT C.")
    elif level == "C" and session.account and session.account.tls == "required":
        session.respond("534 The pictures of this camera are taken in TLS only: PROT P.")
    elif session.data.receiving:
        session.respond("503 Not during an upload.")
    else:
        session.data.drop()
        session.protected = level == "P"
        session.respond(f"200 Data connections are {'protected' if level == 'P' else 'clear'}.")
