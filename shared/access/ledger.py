"""Commits every change of access together with its row of the audit log, which is an event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from ulid import ULID

from shared.access.tables import MARKS, OWNER, Mark
from shared.access.visitor import Actor
from shared.errors import AccessError
from shared.events import ORGANISATION, AccessNoted, Event
from shared.journal import Journal
from shared.journal.owned import Change, Stale
from shared.journal.queries.events import Recorded
from shared.journal.queries.view import View
from shared.text import one_line

REVISION = "revision"
_CHARACTERS = 200


def _silent(_events: Sequence[Event]) -> None:
    return None


class Changed(AccessError):
    """A row is not as it was read."""


class Ledger:
    """The one writer of the tables of access. Any thread; raises JournalUnavailable. ``announce``
    is told of the events; without it the reconciler publishes them."""

    def __init__(
        self, journal: Journal, announce: Callable[[Sequence[Event]], None] = _silent
    ) -> None:
        self.journal = journal
        self._announce = announce
        self._marks = journal.owned(MARKS)

    def commit(
        self,
        changes: Sequence[Change],
        actor: Actor,
        action: str,
        what: str = "",
        detail: str = "",
        *,
        takes_away: bool = False,
    ) -> None:
        """Make changes and note who made them. ``takes_away`` has every open stream look whether
        it is still allowed. Raises Changed."""
        data = AccessNoted(
            who=one_line(actor.who, _CHARACTERS),
            action=action,
            what=one_line(what, _CHARACTERS),
            address=actor.address,
            detail=one_line(detail, _CHARACTERS),
        )
        event = data.event(subject="", cause=f"access:{ULID()}", organisation=actor.organisation)
        if takes_away:
            changes = [*changes, MARKS.put(Mark(REVISION, ORGANISATION, str(ULID())))]
        try:
            self.journal.change(OWNER, changes, [event])
        except Stale as error:
            raise Changed("somebody else changed it meanwhile: look again") from error
        self._announce([event])

    def touch(self, change: Change) -> None:
        """A change that nobody needs to know of, such as when a key was last used. One that comes
        too late is left out: it must not undo a revocation."""
        with suppress(Stale):
            self.journal.change(OWNER, [change])

    def revision(self) -> str:
        """Changes with everything that may take a right away."""
        mark = self._marks.get(REVISION)
        return mark.value if mark else ""

    def has(self, mark: str) -> bool:
        """Whether this mark was ever made."""
        return self._marks.get(mark) is not None

    def noted(self, organisation: str | None, before: int, limit: int) -> list[Recorded]:
        """The audit log of an organisation, the newest first, from before a place in it."""
        read = self.journal.read.within(View(organisation))
        return read.latest_events(limit, topic=AccessNoted.topic, before=before)
