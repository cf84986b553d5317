"""Brings order into what lies flat in the archive's folder: each file into the folder of its day.

Such files are of the program before Snapbus, or of people. They are moved, never sent again; what
is starred stays exactly where it is. All that is known of the work is in Drive itself, so it can be
ended anywhere, begun again, and done by two at once.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial

from services.drive.archives.google.client import Client, Item
from services.drive.archives.google.errors import Denied, Missing, Refused
from services.drive.archives.google.folders import MIME, Folders, quoted
from shared.events import now
from shared.failpoint import reach

log = logging.getLogger(__name__)

YOUNG = timedelta(days=1)
"""Younger files stay on top, where people look first."""
PASSES = 10
"""A list that changes while it is read is read again, at most so often."""
FIELDS = "id,title,createdDate,labels(starred,trashed),parents(id)"
MOVED, STARRED, FRESH, GONE, FAILED = "moved", "starred", "young", "gone", "failed"
LEFT = "left for the next time"

Progress = Callable[[Mapping[str, int]], None]


class Archiver:
    """``zone`` is that of the days. Raises GoogleError and JournalUnavailable."""

    def __init__(
        self,
        client: Client,
        folders: Folders,
        zone: tzinfo | None,
        streams: int,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._client = client
        self._folders = folders
        self._zone = zone
        self._streams = streams
        self._now = clock

    def run(self, progress: Progress, stop: Callable[[], bool] = lambda: False) -> Counter[str]:
        """Move what is to be moved; returns what became of how many files. ``progress`` is told
        the same after each page, ``stop`` ends it before the next file."""
        total: Counter[str] = Counter()
        for _ in range(PASSES):
            seen = self._pass(total, progress, stop)
            # What stays is counted by the last pass only.
            for each in (STARRED, FRESH, FAILED, LEFT):
                total[each] = seen[each]
            if stop() or not seen[MOVED]:
                break
        progress(total)
        return +total

    def _pass(
        self, total: Counter[str], progress: Progress, stop: Callable[[], bool]
    ) -> Counter[str]:
        seen: Counter[str] = Counter()
        top, token = self._folders.find(), None
        if not top:
            return seen
        query = f"{quoted(top)} in parents and trashed = false and mimeType != '{MIME}'"
        with ThreadPoolExecutor(self._streams, "archiver") as pool:
            while not stop():
                try:
                    items, token = self._client.page(
                        query, FIELDS, token=token, **self._folders.where
                    )
                except Refused:
                    if not token:
                        raise
                    return seen  # the list changed too much to go on in it
                for became in pool.map(partial(self._one, top, stop), items):
                    seen[became] += 1
                    total[MOVED] += became == MOVED
                progress({**seen, MOVED: total[MOVED]})
                if not token:
                    break
        return seen

    def _one(self, top: str, stop: Callable[[], bool], item: Item) -> str:
        """What became of one file. One that can't be moved keeps no other from it."""
        if stop():
            return LEFT
        if item["labels"]["starred"]:
            return STARRED
        taken = datetime.fromisoformat(item["createdDate"]).astimezone(UTC)
        if self._now() - taken < YOUNG:
            return FRESH
        try:
            return self._move(item, taken, top)
        except (Denied, Missing, Refused) as error:
            log.warning(
                "%s stays where it is: %s",
                item["title"],
                error,
                extra={"action": "drive_not_moved"},
            )
            return FAILED

    def _move(self, item: Item, taken: datetime, top: str) -> str:
        day = taken.astimezone(self._zone)
        folder = self._folders.of(f"{day:%Y}", f"{day:%m}", f"{day:%d}")
        # Lists lag: only the file itself says whether somebody starred or moved it meanwhile.
        fresh = self._client.get(item["id"], FIELDS)
        if fresh["labels"]["starred"]:
            return STARRED
        parents = {each["id"] for each in fresh["parents"]}
        if fresh["labels"]["trashed"] or top not in parents:
            return GONE
        reach("google.moving")
        self._client.patch(item["id"], {}, "id", add=folder, remove=top)
        reach("google.moved")
        return MOVED
