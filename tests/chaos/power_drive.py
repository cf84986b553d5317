"""The drive service in the process whose power is cut: it files pictures in the folder archive.

The archive lies beside the store. What is announced is filed by two threads, as the service does;
what earlier rounds left unfinished comes again, as from the reconciler.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Sequence

from services.drive.app import build
from shared.events import Event, SnapshotAnalyzed, SnapshotTaken
from shared.ingest.intake import Intake
from shared.journal import Journal
from shared.service import Context
from shared.settings import Settings
from shared.settings.directory import CameraDirectory
from shared.store import Store
from tests.support.making import events_of

MOST_WAITING = 50
"""Whoever takes pictures waits when so many are not filed yet."""


class Drive:
    """Files what is announced, and acknowledges it once the journal knows."""

    def __init__(self, store: Store, journal: Journal, acknowledge: Callable[[str], None]) -> None:
        self._journal = journal
        self._acknowledge = acknowledge
        self.waiting: queue.Queue[Event] = queue.Queue(MOST_WAITING)
        intake = Intake(store, journal, self.announce, max_bytes=1)
        settings = Settings.model_validate({"data": store.root.parent})
        context = Context(
            settings,
            store,
            journal,
            intake,
            self.announce,
            lambda name, events: None,
            CameraDirectory(settings.cameras),
        )
        (service,) = build(context)
        self._file = service.handlers[SnapshotAnalyzed.topic]
        for _ in range(service.workers):
            threading.Thread(target=self._work, daemon=True).start()

    def announce(self, events: Sequence[Event]) -> None:
        """These were taken."""
        for event in events:
            self.waiting.put(event)

    def go_on(self) -> None:
        """File what is in the catalogue and not in the archive."""
        for row in list(self._journal.audit.catalogue()):
            if not row.filed:
                story = self._journal.read.story(row.id)
                self.announce([it.event for it in story if it.event.topic == SnapshotTaken.topic])

    def _work(self) -> None:
        try:
            while True:
                self._handle(self.waiting.get())
                self.waiting.task_done()
        finally:
            os._exit(1)  # the test must hear of it

    def _handle(self, taken: Event) -> None:
        analyzed = SnapshotAnalyzed(camera=taken.subject, analyzed=False)
        event = analyzed.event(subject=taken.subject, cause=taken)
        self._journal.finish("detector", taken, [event])
        outputs = events_of(self._file(event))
        self._journal.finish("drive", event, outputs)
        for archived in outputs:
            data = archived.data
            self._acknowledge(f"archived {taken.snapshot_id} {data['sha256']} {data['path']}")
