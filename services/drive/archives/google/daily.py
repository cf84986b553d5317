"""The archiver's clock: it runs at the start and then every day, and again soon after an error."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo

from services.drive.archives.google.archiver import Archiver
from services.drive.archives.google.errors import GoogleError
from shared.errors import JournalUnavailable
from shared.events import now
from shared.settings.cron import Cron, following
from shared.stop import Stop

log = logging.getLogger(__name__)

AGAIN_S = 60.0
LOOK_S = 60.0
"""A clock that is set is noticed within this."""


class Daily:
    """A source that makes no events. ``at`` empty: it only runs on demand."""

    def __init__(
        self,
        name: str,
        archiver: Archiver,
        at: Cron,
        zone: tzinfo | None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.name = f"archiver of {name}"
        self._archiver = archiver
        self._at = at
        self._zone = zone
        self._now = clock
        self._waits = ""
        self.words = ""
        """How far it is; empty: it does not work now."""

    def run(self, stop: Stop) -> None:
        due = self._now() if self._at else None
        while not stop.is_set():
            if due is None or (left := (due - self._now()).total_seconds()) > 0:
                stop.wait(LOOK_S if due is None else min(left, LOOK_S))
                continue
            if self._run(stop):
                due = following(self._at, self._now().astimezone(self._zone))
            else:
                stop.wait(AGAIN_S)

    def _run(self, stop: Stop) -> bool:
        """Whether it is done until the next day."""
        try:
            done = self._archiver.run(self._progress, stop.is_set)
        except (GoogleError, JournalUnavailable) as error:
            if str(error) != self._waits:
                self._waits = str(error)
                log.info("the archiver waits: %s", error, extra={"action": "archiver_waits"})
            return False
        finally:
            self.words = ""
        self._waits = ""
        log.info("the archiver is done: %s", told(done), extra={"action": "archiver_done"})
        return True

    def _progress(self, counts: Mapping[str, int]) -> None:
        self.words = f"bringing older files into folders by day: {told(counts)}"


def told(counts: Mapping[str, int]) -> str:
    """The counts in words."""
    return (
        ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing to do"
    )
