"""Removes what was left behind: partial files of killed uploads, and what a service that was taken
out of the configuration would still owe."""

from __future__ import annotations

import logging
from datetime import timedelta

from shared.events import now
from shared.service import Context

log = logging.getLogger(__name__)

GONE_AFTER = timedelta(days=1)


class Janitor:
    """Removes ``.part`` files that are an hour old. A whole picture without a snapshot stays: it
    may be all that is left after an old database was restored, so only a person removes it, with
    ``doctor``."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._journal = context.journal
        self._legacy = context.settings.legacy.enabled

    def __call__(self) -> None:
        """Raises OSError, JournalUnavailable."""
        if swept := self._store.sweep():
            log.info("removed %d partial uploads", swept, extra={"action": "swept"})
        if not self._legacy:
            self._release("legacy")

    def _release(self, service: str) -> None:
        """A service that nobody wants and that was not seen for a day owes no answers any more;
        should it come back, it begins anew."""
        status = self._journal.read.service_status()
        if all(each.seen_at < now() - GONE_AFTER for each in status if each.service == service):
            self._journal.subscribe(service, [])
