"""Checks the file of an SQLite journal once after the start: a damaged file must not be written."""

from __future__ import annotations

import logging
import threading

from shared.errors import JournalUnavailable
from shared.service import Context

log = logging.getLogger(__name__)

RETRY_S = 5.0


class IntegrityCheck:
    """A source that makes no events. It runs beside the others, because reading a large file takes
    long and cameras do not wait. After it found damage, the journal refuses every call, and
    pictures stay in the spool until somebody has restored the file."""

    name = "integrity"

    def __init__(self, context: Context) -> None:
        self._audit = context.journal.audit

    def run(self, stop: threading.Event) -> None:
        reason = ""
        while not stop.is_set():
            try:
                self._audit.check_file()
                break
            except JournalUnavailable as error:
                if str(error) != reason:  # the same one again is not logged
                    reason = str(error)
                    log.error(
                        "checking the journal failed: %s",
                        reason,
                        extra={"action": "integrity_check"},
                    )
                stop.wait(RETRY_S)
        stop.wait()
