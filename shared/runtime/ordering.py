"""The order of one camera's events in a service that asks for it."""

from __future__ import annotations

from shared.errors import JournalUnavailable, Unreachable
from shared.events import Event
from shared.journal import Journal
from shared.service import Service

LOOK_AGAIN_S = 5.0
"""After this an event that came out of order is looked at again, should nobody let it in before."""


class Ordering:
    """Holds back events until those before them are done or dead; does nothing for a service that
    is not ``ordered``. Any thread."""

    def __init__(self, service: Service, journal: Journal) -> None:
        self._service = service
        self._order = journal.order

    def check(self, event: Event) -> None:
        """Raise Unreachable when it is not this event's turn; JournalUnavailable."""
        service = self._service
        if not service.ordered:
            return
        if first := self._order.comes_first(service.name, service.handlers, event):
            text = f"event {first} of this camera comes first"
            raise Unreachable(f"order of {event.subject}", text, after_s=LOOK_AGAIN_S)

    def following(self, event: Event) -> list[Event]:
        """What was held back by this event, and may be delivered now."""
        service = self._service
        if not service.ordered:
            return []
        try:
            next_one = self._order.next_of(service.name, service.handlers, event)
        except JournalUnavailable:
            return []  # the reconciler delivers it
        return [next_one] if next_one and next_one.id != event.id else []
