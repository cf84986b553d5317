"""What the log tells of every session: who came, what was asked for, who left. Uploads are told by
the intake, refusals where they are decided. Names are cleaned by the log itself (shared/log.py).

A connection is told once: by its login, or when it ends without one. A line costs as much as a
hundredth of an upload, and many cameras connect for each picture.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from shared.text import printable

if TYPE_CHECKING:
    from services.ftp.session import Session

log = logging.getLogger(__name__)

LONGEST_NAME = 255
REFUSALS_S = 1.0


class TurnedAway:
    """Connections that found no place: told once a second at most, however many there are."""

    def __init__(self) -> None:
        self._count = 0
        self._told_at = float("-inf")

    def note(self, address: str, answer: str) -> None:
        """One more."""
        self._count += 1
        now = time.monotonic()
        if now - self._told_at < REFUSALS_S:
            return
        log.warning(
            "%d connections refused, the last from %s: %s",
            self._count,
            address,
            answer,
            extra={"action": "ftp_connection_refused", "address": address, "count": self._count},
        )
        self._count, self._told_at = 0, now


def logged_in(session: Session) -> None:
    """The password was right."""
    assert session.account is not None
    log.info(
        "camera %s connected from %s and logged in",
        session.account.camera,
        session.address,
        extra=_of(session, "ftp_login"),
    )


def download(session: Session, name: str) -> None:
    """A picture was asked for, which nobody gets."""
    assert session.account is not None
    log.warning(
        "camera %s asked for %r: refused, pictures can't be read back",
        session.account.camera,
        printable(name, LONGEST_NAME),
        extra=_of(session, "ftp_download_refused"),
    )


def left(session: Session) -> None:
    """A session is over."""
    seconds = round(time.monotonic() - session.connected_at, 1)
    if not session.last_camera:
        log.info(
            "somebody connected from %s and left after %s s without a login",
            session.address,
            seconds,
            extra=_of(session, "ftp_connected") | {"seconds": seconds},
        )
        return
    log.info(
        "camera %s left after %s s, %d uploads taken",
        session.last_camera,
        seconds,
        session.uploads,
        extra=_of(session, "ftp_logout") | {"seconds": seconds, "uploads": session.uploads},
    )


def _of(session: Session, action: str) -> dict[str, object]:
    told: dict[str, object] = {"action": action, "address": session.address}
    if session.last_camera:
        told["camera"] = session.last_camera
    return told
