"""Who asks, what they may do, and what exists for them."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from shared.access.rights import Right
from shared.errors import AccessError
from shared.events import ORGANISATION, AccessNoted, Event
from shared.journal.queries.view import View


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who asks. ``credential`` says by what they are known, to look them up again;
    ``until`` when it expires."""

    name: str
    rights: frozenset[Right]
    view: View
    organisation: str = ORGANISATION
    kind: str = "person"
    role: str = ""
    credential: str = field(default="", repr=False)
    until: datetime | None = None
    rate: int = 0

    def may(self, *rights: Right) -> bool:
        """Whether they have one of these rights."""
        return bool(self.rights.intersection(rights))

    def sees(self, event: Event) -> bool:
        """Whether this event exists for them."""
        if not self.view.sees(event.organisation, event.subject):
            return False
        return event.topic != AccessNoted.topic or self.may(Right.ADMINISTER)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something that the audit log tells, and from where."""

    who: str
    organisation: str = ORGANISATION
    address: str = ""


NOBODY = Visitor("", frozenset(), View(ORGANISATION, frozenset()), kind="nobody")


def view_of(organisation: str, cameras: str | None) -> View:
    """What a row with these columns sees."""
    return View(organisation, None if cameras is None else frozenset(cameras.split()))


def check_cameras(cameras: Iterable[str] | None, known: Container[str]) -> None:
    """Raises AccessError when one of them is not known."""
    for each in cameras or ():
        if each not in known:
            raise AccessError(f"there is no camera {each!r}")


def listed(cameras: Iterable[str] | None) -> str | None:
    """Names of cameras as a column."""
    return None if cameras is None else " ".join(sorted(set(cameras)))
