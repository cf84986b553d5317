"""One filing is one file in Google Drive, whatever fails: its id is recorded before it is sent."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.drive.archives.google.client import Client, Item
from services.drive.archives.google.errors import Busy, Exists, Missing, Refused
from services.drive.archives.google.tables import OWNER, UPLOADS, Upload
from shared.errors import Retry
from shared.events import now
from shared.failpoint import reach
from shared.journal import Journal
from shared.journal.owned import Stale

log = logging.getLogger(__name__)

FIELDS = (
    "id,title,md5Checksum,fileSize,labels(starred,trashed),explicitlyTrashed,parents(id),"
    "alternateLink"
)
TRIES = 3
IDS = 20
"""So many ids are fetched at once; those that are left at the end are of no use and no harm."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that Drive shall hold, made of ``source``; ``body`` is what Drive shall know of it
    besides. ``kind`` tells several files of one snapshot apart."""

    snapshot_id: str
    kind: str
    body: dict[str, Any]
    source: Path
    md5: str
    size: int

    def is_in(self, item: Item) -> bool:
        """Whether a file of Drive has these bytes."""
        return item.get("md5Checksum") == self.md5 and str(item.get("fileSize")) == str(self.size)


class FolderGone(Exception):
    """The folder was put into the trash, and the file with it."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("the folder is gone")
        self.item = item


class Uploads:
    """Any thread and several processes; raises GoogleError and JournalUnavailable."""

    def __init__(self, client: Client, journal: Journal, archive: str) -> None:
        self._client = client
        self._journal = journal
        self._archive = archive
        self._ids: list[str] = []

    def hold(self, wanted: Wanted) -> Item:
        """The one live file with these bytes, sent now or before. Raises Retry when Drive keeps
        other bytes, and FolderGone."""
        row, is_new = self._reserved(wanted)
        for left in reversed(range(TRIES)):
            try:
                item = self._sent(row, wanted) if is_new else self._found(row, wanted)
            except Refused:
                if not left:
                    raise
                item = None
                self._ids.clear()  # perhaps all of them belong to another account
            reach("google.sent")
            if item and wanted.is_in(item) and not item["labels"]["trashed"]:
                return item
            row, is_new = self._given_up(row, item, wanted), True
        raise Retry(f"Google Drive kept other bytes of {wanted.body['title']}, {TRIES} times")

    def _reserved(self, wanted: Wanted) -> tuple[Upload, bool]:
        key = self._archive, wanted.snapshot_id, wanted.kind
        rows = self._journal.owned(UPLOADS)
        if row := rows.get(*key):
            return row, False
        row = Upload(*key, self._id(), 0, now())
        try:
            self._journal.change(OWNER, [UPLOADS.add(row)])
        except Stale:
            return rows.get(*key) or row, False
        reach("google.reserved")
        return row, True

    def _found(self, row: Upload, wanted: Wanted) -> Item | None:
        """What was sent before, or sent now if nothing was."""
        try:
            return self._client.get(row.file_id, FIELDS)
        except Missing:
            return self._sent(row, wanted)

    def _sent(self, row: Upload, wanted: Wanted) -> Item | None:
        """None: this id can't be used."""
        try:
            return self._client.insert({"id": row.file_id, **wanted.body}, wanted.source, FIELDS)
        except Exists:
            try:
                return self._client.get(row.file_id, FIELDS)
            except Missing:  # it was, and was deleted for ever
                return None
        except Missing:  # of the folder, or of an upload that took too long
            raise FolderGone(None) from None

    def _given_up(self, row: Upload, item: Item | None, wanted: Wanted) -> Upload:
        """Another id for the same filing. What has wrong bytes goes into the trash, unless somebody
        starred it."""
        if item and item["labels"]["trashed"] and not item.get("explicitlyTrashed"):
            raise FolderGone(item)
        if item and not item["labels"]["trashed"] and not item["labels"].get("starred"):
            self._client.trash(row.file_id)
            reach("google.trashed")
        fresh = replace(row, file_id=self._id(), spoilt=row.spoilt + 1, reserved_at=now())
        self._journal.change(OWNER, [UPLOADS.replace(row, fresh)])
        log.warning(
            "%s is sent again as %s: %s was %s",
            wanted.body["title"], fresh.file_id, row.file_id, _state(item),
            extra={"action": "drive_sent_again"},
        )  # fmt: skip
        return fresh

    def _id(self) -> str:
        while True:
            try:
                return self._ids.pop()
            except IndexError:
                self._ids.extend(_whole(self._client.ids(IDS)))


def _whole(ids: Sequence[str]) -> Sequence[str]:
    if not ids:
        raise Busy("Google gave no ids")
    return ids


def _state(item: Item | None) -> str:
    if item is None:
        return "deleted"
    return "in the trash" if item["labels"]["trashed"] else "other bytes"
