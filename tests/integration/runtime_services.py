"""Small services for test_runtime.py, run as a process: a folder, a detector, drive and scheduler.

``SLOW`` seconds in the detector, ``POISON`` a picture's name that kills it, ``DIES`` a part whose
thread ends, ``SAYS`` the text of its error.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import services.drive.app
import services.scheduler.app
from shared.errors import ConfigError, JournalUnavailable
from shared.events import Event, SnapshotAnalyzed
from shared.ingest.intake import Arrival
from shared.main import main
from shared.service import Context, Service

log = logging.getLogger(__name__)


class Inbox:
    """Takes pictures from a folder, and removes those that are acknowledged."""

    name = "inbox"

    def __init__(self, context: Context, folder: Path) -> None:
        self._intake = context.intake
        self._folder = folder

    def run(self, stop: threading.Event) -> None:
        if os.environ.get("DIES") == "source":
            log.info("about to fail: %s", os.environ.get("SAYS"))
            raise ZeroDivisionError(os.environ.get("SAYS", "as told"))
        if os.environ.get("DIES") == "port":
            raise ConfigError("inbox.port: is in use. Choose another.")
        while not stop.wait(0.02):
            for path in sorted(self._folder.glob("*.jpg")):
                self._take(path)

    def _take(self, path: Path) -> None:
        part = self._intake.receive()
        part.write(path.read_bytes())
        try:
            self._intake.accept(part, Arrival(camera="porch", door="folder", name=path.name))
        except JournalUnavailable as error:
            log.warning("refused: %s", error)
            return
        path.unlink()


def detect(event: Event) -> Sequence[Event]:
    """Sees nothing, in the time it is told to take."""
    log.info("working", extra={"action": "working"})
    if event.data["name"] == os.environ.get("POISON"):
        os.kill(os.getpid(), signal.SIGKILL)
    if os.environ.get("DIES") == "worker":
        sys.exit("as told")
    threading.Event().wait(float(os.environ.get("SLOW", "0")))
    data = SnapshotAnalyzed(camera=event.subject, analyzed=True)
    return [data.event(subject=event.subject, cause=event)]


def build(context: Context) -> Sequence[Service]:
    """Runs small services for a test."""
    inbox = Inbox(context, Path(os.environ["INBOX"]))
    return [
        Service("detector", {"snapshot.taken": detect}, [inbox], workers=2),
        *services.drive.app.build(context),
        services.scheduler.app.build(context),
    ]


if __name__ == "__main__":
    main("allinone", build, ["--config", sys.argv[1]])
