"""Who in this process handles which event just now, so that no event is handled twice at once.

A broker may deliver an event again while a worker still has it: after a lost connection, or when
the reconciler lost patience. The second delivery then shares the fate of the first.
"""

from __future__ import annotations

import threading


class InFlight:
    """The events in hand, of all services of a process. Any thread."""

    def __init__(self) -> None:
        self._tags: dict[tuple[str, str], list[bytes]] = {}
        self._lock = threading.Lock()
        self.suspects = threading.Lock()
        """Held while an event is handled that may have ended this process before: then no other
        suspect is begun, and is not blamed for what this one does."""

    def take(self, service: str, event_id: str, tag: bytes) -> bool:
        """Take an event in hand; False: somebody has it, and will settle this delivery too."""
        with self._lock:
            tags = self._tags.setdefault((service, event_id), [])
            tags.append(tag)
            return len(tags) == 1

    def release(self, service: str, event_id: str) -> list[bytes]:
        """Put an event down; returns the deliveries that share its fate."""
        with self._lock:
            return self._tags.pop((service, event_id))
