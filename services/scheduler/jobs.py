"""What is done by the clock: copies of tokens, and the removal of what uploads left behind.

Nothing here is lost by a process that was not there at the minute: each job also runs at the start.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from shared.errors import JournalUnavailable
from shared.events import now
from shared.settings.cron import Cron, following

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Never, if ``at`` is empty. ``run`` raises OSError when it
    can't do its work now, and is called again the next time."""

    name: str
    at: Cron
    run: Callable[[], None]


class Jobs:
    """A source that makes no events: runs each job at the start and then at its times."""

    name = "jobs"

    def __init__(
        self,
        jobs: Sequence[Job],
        zone: tzinfo | None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """``zone`` is the one of the cron expressions; None: that of this machine."""
        self._jobs = [job for job in jobs if job.at]
        self._zone = zone
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        due = [(self._clock(), job) for job in self._jobs]
        while due and not stop.is_set():
            moment, job = min(due, key=lambda each: each[0])
            # A clock that is set meanwhile is noticed within a minute.
            if (wait_s := (moment - self._clock()).total_seconds()) > 0:
                stop.wait(min(wait_s, 60.0))
                continue
            self._do(job)
            due = [each for each in due if each[1] is not job]
            due.append((following(job.at, self._clock().astimezone(self._zone)), job))
        stop.wait()

    def _do(self, job: Job) -> None:
        try:
            job.run()
        except (OSError, JournalUnavailable) as error:  # a volume is away or read-only now
            log.warning(
                "%s: %s; it is tried again at its next time",
                job.name,
                getattr(error, "strerror", None) or error,
                extra={"action": "job_waits", "job": job.name},
            )
