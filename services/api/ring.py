"""The newest events in memory, in the order in which they were sent."""

from __future__ import annotations

from collections import deque

from shared.access import Visitor
from shared.journal.queries.events import Recorded


class Ring:
    """At most ``size`` events. Belongs to the server's event loop."""

    def __init__(self, size: int) -> None:
        self._events: deque[Recorded] = deque(maxlen=size)

    def __len__(self) -> int:
        return len(self._events)

    def add(self, recorded: Recorded) -> None:
        """Add one; the oldest goes when there are too many."""
        self._events.append(recorded)

    def remembers(self, event_id: str) -> bool:
        """Whether this event is among them."""
        return any(each.event.id == event_id for each in self._events)

    def after(self, event_id: str) -> list[Recorded]:
        """Those after an event; all of them when it is older."""
        events = list(self._events)
        for index, each in enumerate(events):
            if each.event.id == event_id:
                return events[index + 1 :]
        return events

    def newest(self, visitor: Visitor) -> str:
        """The id of the newest one that exists for a visitor; empty: there is none."""
        seen = (each.event.id for each in reversed(self._events) if visitor.sees(each.event))
        return next(seen, "")
