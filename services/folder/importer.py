"""Takes pictures out of one folder: which files, when, and what becomes of them afterwards.

A file is taken when its writer closed it or it has not changed for a while, and its end is there.
It is removed or moved after the picture is safe, at the latest when its key is found again.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from cachetools import LRUCache

from services.folder.destination import RESULT
from services.folder.directory import Directory, Found, Opened, Replaced, Version, original
from services.folder.fate import Fate
from services.folder.stability import Stability
from services.folder.unfinished import Unfinished, check_start
from services.folder.watched import WatchedFolder
from shared.errors import IncompletePicture, PictureError
from shared.events import now
from shared.failpoint import reach
from shared.ingest.arrival import Arrival, dedupe_keys
from shared.service import Context
from shared.settings.section import zone_of
from shared.text import printable

log = logging.getLogger(__name__)

BATCH = 2000
MOST_KNOWN = 200_000
CHUNK = 1 << 20
GIVE_UP_S = 3600.0
"""A picture whose end has not come by then will never be whole."""


class Importer:
    """Belongs to the thread of its source; ``about`` is for any."""

    def __init__(
        self,
        watched: WatchedFolder,
        context: Context,
        *,
        settle_s: float = 2.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.camera = watched.camera
        self.directory = Directory(watched.root, (watched.processed, watched.failed))
        self.outcomes = Counter(taken=0, repeated=0, rejected=0)
        self._context = context
        self._section = watched.section
        self._keep = watched.section.keep
        self._zone = zone_of(watched.section.timezone)
        self._fate = Fate(watched, self.directory)
        self._stability = Stability(settle_s, clock)
        self._clock = clock
        self._known: LRUCache[str, Version] = LRUCache(MOST_KNOWN)
        self._cut: LRUCache[str, Version] = LRUCache(BATCH * 2)
        self._left: LRUCache[str, bool] = LRUCache(BATCH)
        self._trouble = ""
        self._waiting = 0
        self._volume: int | None = None

    def about(self) -> dict[str, Any]:
        """The state for the page."""
        trouble = self._trouble or self._fate.trouble
        return {
            "camera": self.camera,
            "folder": str(self.directory.root),
            "ok": not trouble,
            "trouble": trouble,
            "waiting": self._waiting,
            "files": dict(self.outcomes),
        }

    def degrade(self, trouble: str) -> None:
        """Set the trouble that the page shows; a new one is logged."""
        if trouble != self._trouble:
            log.warning(
                "folder of %s: %s",
                self.camera,
                trouble,
                extra={"action": "folder_trouble", "camera": self.camera},
            )
        self._trouble = trouble

    def scan(self, stop: threading.Event) -> bool:
        """Take the files that are ready, oldest first; returns whether more can be taken at once.

        Raises OSError when the folder can't be read, StoreError, JournalUnavailable.
        """
        self._fate.again()
        found = self.directory.oldest(
            BATCH, lambda file: self._is_unknown(file) and self._is_ours(file.path)
        )
        self._check_volume(empty=not found)
        if self._keep:
            found = self._unknown(found)
        finished = self.outcomes.total()
        for file in found:
            if stop.is_set():
                return False
            self._consider(file.path, closed=False)
        self._waiting = sum(map(self._is_unknown, found))
        return len(found) == BATCH and self.outcomes.total() > finished

    def changed(self, paths: Mapping[str, bool]) -> None:
        """Take the files that changed, and those that are stable since. Raises as ``scan``."""
        due = self._stability.due()
        for path in {**dict.fromkeys(due, False), **paths}:
            if self._is_ours(path):
                self._consider(path, closed=paths.get(path, False))

    def _is_unknown(self, file: Found) -> bool:
        return self._known.get(file.path) != file.version

    def _is_ours(self, path: str) -> bool:
        """Whether a file of this name is wanted at all."""
        name = original(path).rpartition("/")[2]
        wanted = fnmatchcase(name, self._section.pattern or "*") and not name.endswith(RESULT)
        return wanted and self.directory.holds(path)

    def _check_volume(self, *, empty: bool) -> None:
        """A share that is not mounted looks like an empty folder, on another volume."""
        volume = self.directory.identity()[0]
        if self._volume not in (None, volume) and empty:
            self.degrade(f"{self.directory.root} is empty and on another volume: is it mounted?")
            return
        self._volume = volume
        self._trouble = ""

    def _unknown(self, found: list[Found]) -> list[Found]:
        """Of kept files, those that the journal doesn't know yet."""
        files = {dedupe_keys(self._arrival(file), "", now())[0]: file for file in found}
        keys = list(files)
        for start in range(0, len(keys), 500):
            for known in self._context.journal.read.known_keys(keys[start : start + 500]):
                file = files.pop(known)
                self._known[file.path] = file.version
        return list(files.values())

    def _consider(self, path: str, *, closed: bool) -> None:
        try:
            with self.directory.open(path) as file:
                if self._is_news(file) and (closed or self._stability.reached(file)):
                    self._take(file)
        except FileNotFoundError:
            return  # gone again: not ours
        except Replaced:
            self._stability.look_again(path)
        except OSError as error:
            if path not in self._left:
                name = printable(path)
                log.warning("%r of %s is left alone: %s", name, self.camera, error.strerror)
            self._left[path] = True

    def _is_news(self, file: Opened) -> bool:
        if self._cut.get(file.path) == file.version and self._is_young(file):
            return False
        return self._known.get(file.path) != file.version

    def _is_young(self, file: Opened) -> bool:
        return self._clock() - file.status.st_mtime < GIVE_UP_S

    def _take(self, file: Opened) -> None:
        try:
            duplicate, sha256 = self._accept(file)
        except (PictureError, Unfinished) as error:
            self._refuse(file, error)
            return
        reach("folder.accepted")
        self.outcomes["repeated" if duplicate else "taken"] += 1
        if self._keep:
            self._known[file.path] = file.version
        else:
            self._remove(file, sha256)

    def _accept(self, file: Opened) -> tuple[bool, str]:
        """Whether the picture was known, and its hash."""
        part = self._context.intake.receive()
        try:
            while chunk := os.read(file.descriptor, CHUNK):
                if not part.size:
                    check_start(chunk)
                part.write(chunk)
            if file.changed() or not part.size:
                raise Unfinished("it is still being written")
            arrival, sha256 = self._arrival(file, part.sha256), part.sha256
            return self._context.intake.accept(part, arrival).duplicate, sha256
        finally:
            part.discard()

    def _arrival(self, file: Found | Opened, sha256: str = "") -> Arrival:
        name = original(file.path)
        key = f"folder:{self.camera}:{name}:{file.version.mtime_ns}:{file.version.size}"
        if not self._keep:
            # A file that will be gone may be followed by another of its name, size and time.
            key += f":{sha256}"
        return Arrival(
            camera=self.camera,
            door="folder",
            name=_told(file),
            zone=self._zone,
            key=key,
        )

    def _refuse(self, file: Opened, error: Exception) -> None:
        if isinstance(error, IncompletePicture | Unfinished) and self._is_young(file):
            self._cut[file.path] = file.version
            return  # more of it may still come
        self._known[file.path] = file.version
        self.outcomes["rejected"] += 1
        place = "left where it is"
        if not self._keep:
            try:
                place = f"moved to {self._fate.refused(file, _told(file), str(error))}"
            except OSError as failure:
                place = f"it can't be moved: {failure.strerror}"
        log.warning(
            "%r of %s is not taken: %s; %s",
            printable(file.path),
            self.camera,
            error,
            place,
            extra={"action": "file_rejected", "camera": self.camera},
        )

    def _remove(self, file: Opened, sha256: str) -> None:
        if not self._fate.taken(file, _told(file), sha256):
            self._known[file.path] = file.version


def _told(file: Found | Opened) -> str:
    """What a file is called: data, never a path."""
    return printable(original(file.path))[-255:]
