"""Watches a folder for new files. The only file that knows the watching library.

Its events only make things faster: they get lost when queues overflow, and network shares send
none. What counts is the full reading of the folder every few seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from services.folder.directory import wanted_name
from services.folder.importer import Importer
from shared.errors import SnapbusError

log = logging.getLogger(__name__)

MOST_CHANGES = 10_000
WAIT_S = 0.25
REREAD_S = 1.0
"""A folder is not read in full again sooner, however many folders are made in it."""
PAUSE_S = 5.0
"""After the store or the journal refused: every file stays where it is meanwhile."""


class Changes:
    """The files that changed since the last ``take``, each once. Any thread. ``folders``: a folder
    came, and with it perhaps files of which no event tells."""

    def __init__(self) -> None:
        self.folders = threading.Event()
        self._paths: dict[str, bool] = {}
        self._condition = threading.Condition()

    def note(self, path: str, *, closed: bool) -> None:
        """Add a file; ``closed``: its writer has closed it."""
        with self._condition:
            if len(self._paths) < MOST_CHANGES:
                self._paths[path] = self._paths.get(path, False) or closed
                self._condition.notify()

    def take(self, timeout_s: float) -> dict[str, bool]:
        """The changed files; waits for the first one at most ``timeout_s``."""
        with self._condition:
            if not self._paths:
                self._condition.wait(timeout_s)
            taken, self._paths = self._paths, {}
            return taken


class Watch(FileSystemEventHandler):
    """File events of everything below ``root`` as changes."""

    def __init__(self, root: Path, changes: Changes) -> None:
        self._root = root
        self._changes = changes
        self._observer = Observer()
        kinds: list[type[FileSystemEvent]] = [FileClosedEvent, FileMovedEvent, FileCreatedEvent]
        kinds += [DirCreatedEvent, DirMovedEvent]
        self._observer.schedule(self, str(root), recursive=True, event_filter=kinds)
        self._observer.start()

    def on_any_event(self, event: FileSystemEvent) -> None:
        moved = isinstance(event, FileMovedEvent | DirMovedEvent)
        raw = event.dest_path if moved else event.src_path
        if event.is_directory:
            # What happened in it before it was watched too is seen by reading only.
            if not Path(str(raw)).name.startswith("."):
                self._changes.folders.set()
            return
        with suppress(ValueError):  # moved out of the folder
            path = Path(str(raw)).relative_to(self._root).as_posix()
            if wanted_name(path) and not path.rpartition("/")[2].startswith("."):
                self._changes.note(path, closed=not isinstance(event, FileCreatedEvent))

    def stop(self) -> None:
        self._observer.stop()
        self._observer.join()


class FolderSource:
    """Takes the pictures of one folder while it runs."""

    def __init__(self, importer: Importer, rescan_s: float, *, poll: bool) -> None:
        """``rescan_s``: how often the folder is read in full."""
        self.name = f"folder-{importer.camera}"
        self.importer = importer
        self._rescan_s = rescan_s
        self._poll = poll
        self._changes = Changes()
        self._watch: Watch | None = None
        self._watched: tuple[int, int] | None = None
        self._unwatchable = False

    def run(self, stop: threading.Event) -> None:
        """Read the folder again and again until stopped."""
        try:
            while not stop.is_set():
                more = self._read(stop)
                self._listen(stop, 0.0 if more else self._rescan_s)
        finally:
            self._unwatch()

    def _read(self, stop: threading.Event) -> bool:
        """Take all that is there; says whether there was more than one reading holds."""
        self._changes.folders.clear()
        try:
            identity = self.importer.directory.identity()
            self._keep_watching(identity)
            return self.importer.scan(stop)
        except OSError as error:
            self._unwatch()
            self.importer.degrade(f"{self.importer.directory.root}: {error.strerror}")
        except SnapbusError as error:
            self.importer.degrade(str(error))
            stop.wait(PAUSE_S)
        return False

    def _listen(self, stop: threading.Event, seconds: float) -> None:
        """Take what changes for so long, or until a new folder is to be read."""
        began = time.monotonic()
        while not stop.is_set() and (left := began + seconds - time.monotonic()) > 0:
            if self._changes.folders.is_set() and time.monotonic() > began + REREAD_S:
                return
            changed = self._changes.take(min(left, WAIT_S))
            try:
                self.importer.changed(changed)
            except SnapbusError as error:
                self.importer.degrade(str(error))
                stop.wait(PAUSE_S)

    def _keep_watching(self, identity: tuple[int, int]) -> None:
        if self._poll or identity == self._watched:
            return
        self._unwatch()
        try:
            self._watch = Watch(self.importer.directory.root, self._changes)
        except OSError as error:
            # The system's limit of watches, most likely: then every reading does the work.
            if not self._unwatchable:
                log.warning(
                    "%s can't be watched, only read every %g s: %s",
                    self.importer.directory.root,
                    self._rescan_s,
                    error.strerror or error,
                    extra={"action": "folder_unwatched", "camera": self.importer.camera},
                )
            self._unwatchable = True
            return
        self._watched = identity
        self._unwatchable = False

    def _unwatch(self) -> None:
        if self._watch:
            self._watch.stop()
        self._watch = self._watched = None
