"""Copies of pushed pictures as plain files, below the folders that their cameras named.

For programs that look for files where an FTP server put them. A copy is written after the picture
is safe and its sender was told, from the store, and never read again: the store is the truth. The
journal says what is to be copied, so that nothing is left out when the folder was away for a while.
Old copies are removed; only files that stand in the index, which is in the data folder, are ever
touched. Trouble with one name costs that copy; trouble with the disk, the folder or the store is
waited for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cachetools import LRUCache

from services.ftp.mirror_folder import LeftOut, MirrorFolder
from services.ftp.mirror_index import Copy, MirrorIndex
from services.ftp.mirror_names import safe_path
from shared.errors import JournalUnavailable, SnapshotMissing, StoreError
from shared.events import SnapshotTaken
from shared.journal.queries.events import Recorded
from shared.service import Context
from shared.settings.ftp import MirrorSection
from shared.stop import Stop

log = logging.getLogger(__name__)

INDEX = "ftp-mirror.txt"
"""In the data folder."""
DAY_S = 86_400.0
LOOK_S = 1.0
TROUBLE_S = 10.0
OVERLAP = 200
LATE_S = 10.0
"""So many places are read again for so long: another process may commit an event with a lower place
a little later."""
BATCH = 500


class Mirror:
    """A source that makes no events: it follows the journal with copies. ``folder`` is that of the
    section, and ``own`` says whether a camera has an account of its own; its files then lie below
    its name, and those of a shared account where they were put."""

    name = "ftp-mirror"

    def __init__(
        self,
        folder: Path,
        section: MirrorSection,
        context: Context,
        own: Callable[[str], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = MirrorFolder(folder)
        self._section = section
        self._context = context
        self._own = own
        self._clock = clock
        self._index: MirrorIndex | None = None
        self._done: LRUCache[str, bool] = LRUCache(2 * OVERLAP + BATCH)
        self._start = self._seen = 0
        self._came_at = float("-inf")
        self.trouble = ""
        """Why copies can't be written now; empty: they are."""

    def run(self, stop: Stop) -> None:
        """Copy what comes until stopped; trouble is told and waited for."""
        while not stop.is_set():
            try:
                self.look()
            except (OSError, JournalUnavailable, StoreError) as error:
                self._trouble(error)
                stop.wait(TROUBLE_S)
            else:
                self.trouble = ""
                stop.wait(LOOK_S)

    def look(self) -> None:
        """Copy what came since the last look, and remove what is old. Raises OSError,
        JournalUnavailable, StoreError."""
        index, read = self._opened(), self._context.journal.read
        self._folder.check()
        self._make_room(index, 0)
        quiet = self._clock() > self._came_at + LATE_S
        after = self._seen if quiet else max(self._seen - OVERLAP, self._start)
        while events := read.events_after(after, BATCH, topic=SnapshotTaken.topic):
            for each in events:
                if each.event.id not in self._done:
                    self._copy(index, each)
                    self._done[each.event.id] = True
                    self._came_at = self._clock()
                self._seen = max(self._seen, each.seq)
            after = events[-1].seq

    def about(self) -> Mapping[str, Any]:
        """The state for the page. Any thread."""
        index = self._index
        return {
            "folder": str(self._folder.root),
            "files": len(index) if index else 0,
            "bytes": index.bytes if index else 0,
            "trouble": self.trouble,
        }

    def _opened(self) -> MirrorIndex:
        if self._index is None:
            index = MirrorIndex(self._context.settings.data / INDEX, self._folder.root)
            first = index.new
            if first:
                index.begin(self._context.journal.read.newest_seq())
            self._seen = self._start = index.seq
            self._index = index
            if first:  # later, a folder that is not there may be a volume that is not mounted
                self._folder.make()
        return self._index

    def _copy(self, index: MirrorIndex, recorded: Recorded) -> None:
        taken = recorded.event.parsed(SnapshotTaken)
        if taken.door != "ftp":
            return
        path = safe_path(taken.name, taken.media_type)
        if self._own(taken.camera):
            path = (taken.camera, *path)
        size = taken.size

        def announce(copy: str) -> None:
            # With the place before it: if this process ends now, this one is copied again.
            index.add(Copy(copy, size, self._clock(), self._seen))

        try:
            with self._folder.of_one_name():
                picture = self._context.store.path(taken.sha256).open("rb")
            with picture:
                self._make_room(index, size)
                self._folder.write(path, taken.sha256[:8], index, picture, announce)
        except (LeftOut, SnapshotMissing) as error:  # or its time was over before it was copied
            log.warning(
                "no copy %s in the mirror: %s",
                "/".join(path),
                error,
                extra={"action": "ftp_mirror_left_out", "camera": taken.camera},
            )

    def _make_room(self, index: MirrorIndex, size: int) -> None:
        oldest = self._clock() - self._section.days * DAY_S
        while copy := index.first():
            if copy.at >= oldest and index.bytes + size <= self._section.max_bytes:
                return
            index.release(copy.path)
            self._folder.remove(copy.path)
            index.drop(copy.path)

    def _trouble(self, error: Exception) -> None:
        why = error.strerror if isinstance(error, OSError) else ""
        text = f"the mirror {self._folder.root} can't be written: {why or error}"
        if text != self.trouble:
            log.warning(text, extra={"action": "ftp_mirror_trouble"})
        self.trouble = text
