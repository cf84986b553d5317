"""How much each camera has delivered by one door today, and how much it may: so that one that runs
wild, or whose password is known, does not take the others' disk.

A day begins at midnight UTC. What was delivered before a restart is counted from the journal.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Protocol

from shared.errors import JournalUnavailable
from shared.events import Door, now
from shared.settings.cameras import QuotaSection

log = logging.getLogger(__name__)

Taken = Mapping[str, tuple[int, int]]
"""Pictures and bytes by camera."""


class Coming(Protocol):
    """What is being received."""

    @property
    def camera(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def closed(self) -> bool: ...


class Quota:
    """Belongs to the thread of the server, but for ``load`` before it begins, and ``over``.
    ``taken_since`` asks the journal what came in by this door."""

    def __init__(
        self,
        door: Door,
        taken_since: Callable[[Door, datetime], Taken],
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._door = door
        self._taken_since = taken_since
        self._clock = clock
        self._day = date.min
        self._pictures: defaultdict[str, int] = defaultdict(int)
        self._bytes: defaultdict[str, int] = defaultdict(int)
        self._coming: defaultdict[str, set[Coming]] = defaultdict(set)
        self._over: frozenset[str] = frozenset()

    def load(self) -> bool:
        """Count what came today before; False: the journal is away. Blocks."""
        self._begin_day()
        try:
            taken = self._taken_since(self._door, datetime.combine(self._day, time.min, UTC))
        except JournalUnavailable as error:
            log.warning("quotas begin at nothing: %s", error, extra={"action": "quota_unknown"})
            return False
        for camera, (pictures, size) in taken.items():
            self._pictures[camera] += pictures
            self._bytes[camera] += size
        return True

    @property
    def over(self) -> list[str]:
        """The cameras that were refused today for theirs. Any thread."""
        return sorted(self._over)

    def refusal(self, camera: str, most: QuotaSection, size: int = 0, more: int = 1) -> str:
        """What to say to so many more pictures, or to so many more bytes of one that is coming;
        empty: take them."""
        self._begin_day()
        coming = {each for each in self._coming.pop(camera, ()) if not each.closed}
        if coming:
            self._coming[camera] = coming
        taken, taken_bytes = self._pictures.get(camera, 0), self._bytes.get(camera, 0)
        pictures = taken + len(coming) + (0 if size else more)
        in_all = taken_bytes + sum(each.size for each in coming) + max(size, 1)
        if pictures <= most.pictures_a_day and in_all <= most.bytes_a_day:
            return ""
        self._over |= {camera}
        return (
            f"This camera has delivered {taken} pictures, {taken_bytes / 1e6:.1f} MB today: "
            f"its quota (cameras.{camera}.{self._door}.quota). It may go on at 00:00 UTC."
        )

    def begin(self, coming: Coming) -> None:
        """This one is coming."""
        self._coming[coming.camera].add(coming)

    def note(self, camera: str, size: int) -> None:
        """A new picture of this camera was taken."""
        self._begin_day()
        self._pictures[camera] += 1
        self._bytes[camera] += size

    def _begin_day(self) -> None:
        today = self._clock().astimezone(UTC).date()
        if today != self._day:
            self._day, self._over = today, frozenset()
            self._pictures.clear()
            self._bytes.clear()
