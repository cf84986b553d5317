"""Reads the database's file once after the start: a damaged one must not be written to for long."""

from __future__ import annotations

import logging
import threading

from shared.errors import JournalUnavailable
from shared.service import Context

log = logging.getLogger(__name__)

RETRY_S = 5.0


class IntegrityCheck:
    """A source, though nothing comes of it. It runs beside everything else, because a large file
    takes long to read, and cameras do not wait. When the file is damaged, nothing is written to it
    any more; pictures are kept in the spool until somebody has put it right."""

    name = "checkup"

    def __init__(self, context: Context) -> None:
        self._audit = context.journal.audit

    def run(self, stop: threading.Event) -> None:
        told = ""
        while not stop.is_set():
            try:
                self._audit.check_file()
                break
            except JournalUnavailable as error:
                if str(error) != told:
                    told = str(error)
                    log.error("the journal was not checked: %s", told, extra={"action": "checkup"})
                stop.wait(RETRY_S)
        stop.wait()
