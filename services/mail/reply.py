"""What the server says to a mail, and under which word that is counted."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from services.mail.parts import BadMail
from shared.errors import (
    JournalUnavailable,
    PictureError,
    PictureTooLarge,
    SnapbusError,
    StoreFull,
)
from shared.text import one_line

log = logging.getLogger(__name__)

LONGEST = 400
"""A line of an answer has at most 512 bytes."""


@dataclass(frozen=True, slots=True)
class Reply:
    """``enhanced`` is the code of RFC 3463."""

    code: int
    enhanced: str
    text: str
    outcome: str = "refused"

    @property
    def accepted(self) -> bool:
        return self.code < 400

    def __str__(self) -> str:
        text = one_line(self.text, LONGEST).encode("ascii", "replace").decode()
        return f"{self.code} {self.enhanced} {text}"


BUSY = Reply(451, "4.3.2", "Too busy to store it now. Send it again later.")


def refusal(error: Exception) -> Reply:
    """What to answer to a mail that failed by this error."""
    if isinstance(error, BadMail):
        return Reply(554, "5.6.0", f"Refused: {error}.")
    if isinstance(error, PictureTooLarge):
        return Reply(552, "5.3.4", f"Refused: {error}.")
    if isinstance(error, PictureError):
        return Reply(554, "5.6.0", f"Refused: {error}. Send whole JPEG or PNG pictures.")
    if isinstance(error, StoreFull):
        return Reply(452, "4.3.1", "Not enough space to store it. Send it again later.")
    if isinstance(error, JournalUnavailable):
        return Reply(451, "4.3.0", "The journal is not available now. Send it again later.")
    if isinstance(error, SnapbusError):
        return Reply(451, "4.3.0", "It can't be stored now. Send it again later.")
    log.error("a mail could not be finished", exc_info=error, extra={"action": "mail_failed"})
    return Reply(
        451, "4.3.0", "Internal error; the log of the server says more. Send it again later."
    )
