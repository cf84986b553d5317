"""The folders of an archive in Google Drive, each made once, whoever else makes it now."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace

from services.drive.archives.google.client import Client
from services.drive.archives.google.errors import Busy, Exists, Missing, Refused
from services.drive.archives.google.tables import FOLDERS, OWNER, Folder
from shared.events import now
from shared.failpoint import reach
from shared.journal import Journal
from shared.journal.owned import Stale

log = logging.getLogger(__name__)

MIME = "application/vnd.google-apps.folder"
CHECK_S = 300.0
"""A folder is looked at again after this: a person may have put it into the trash."""
TRIES = 4


def quoted(text: str) -> str:
    """A text in a query."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


class Folders:
    """Ids of folders by path. Any thread and several processes; raises GoogleError and
    JournalUnavailable."""

    def __init__(
        self, client: Client, journal: Journal, archive: str, top: str, drive: str
    ) -> None:
        """``top`` is the folder of the archive, with / between folders in folders; ``drive`` the
        id of a shared drive, empty for that of the account."""
        self._client = client
        self._journal = journal
        self._archive = archive
        self._top = tuple(filter(None, top.split("/")))
        self._drive = drive
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, float]] = {}

    @property
    def top(self) -> str:
        """The id of the archive's own folder."""
        return self.of()

    @property
    def where(self) -> dict[str, str]:
        """What a list needs to be one of a shared drive."""
        return {"corpora": "drive", "driveId": self._drive} if self._drive else {}

    def of(self, *names: str) -> str:
        """The id of the folder below the archive's own with these names."""
        path = "/".join((*self._top, *names))
        with self._lock:
            return self._of(path)

    def find(self, *names: str) -> str:
        """The id of the folder below the archive's own with these names; empty: there is none."""
        path = "/".join((*self._top, *names))
        row = self._journal.owned(FOLDERS).get(self._archive, path)
        if row and self._is_live(row.file_id):
            return row.file_id
        above, parent = self._drive or "root", ""
        for title in path.split("/"):
            parent = self._found(title, above)
            if not parent:
                return ""
            above = parent
        return parent

    def forget(self) -> None:
        """Look at all folders anew: one of them is gone."""
        with self._lock:
            self._known.clear()

    def _of(self, path: str) -> str:
        if not path:
            return self._drive or "root"
        found, checked_at = self._known.get(path, ("", 0.0))
        if found and time.monotonic() - checked_at < CHECK_S:
            return found
        parent, _, title = path.rpartition("/")
        parent_id = self._of(parent)
        for _ in range(TRIES):
            if file_id := self._there(path, title, parent_id):
                self._known[path] = file_id, time.monotonic()
                return file_id
        raise Busy(f"the folder {path} can't be made: it is removed or refused again and again")

    def _there(self, path: str, title: str, parent_id: str) -> str:
        """The id of this folder; empty: it changed meanwhile, so look again."""
        row = self._journal.owned(FOLDERS).get(self._archive, path)
        try:
            if row is None:
                found = self._found(title, parent_id) or self._client.ids(1)[0]
                row = Folder(self._archive, path, found, now())
                self._journal.change(OWNER, [FOLDERS.add(row)])
                reach("google.folder_reserved")
            if self._is_live(row.file_id) or self._make(row.file_id, title, parent_id):
                return row.file_id
            fresh = replace(row, file_id=self._client.ids(1)[0], reserved_at=now())
            self._journal.change(OWNER, [FOLDERS.replace(row, fresh)])
            log.warning("the folder %s is gone: it is made again", path, extra=_MADE_AGAIN)
        except Stale:
            pass  # another process was first
        return ""

    def _found(self, title: str, parent_id: str) -> str:
        """A folder of this name that was made by somebody else; of several the oldest."""
        query = (
            f"title = {quoted(title)} and {quoted(parent_id)} in parents "
            f"and mimeType = '{MIME}' and trashed = false"
        )
        items = list(self._client.all(query, "id,createdDate", **self.where))
        if len(items) > 1:
            log.warning("%d folders are called %s: the oldest one is used", len(items), title)
        return min(items, key=lambda each: str(each["createdDate"]))["id"] if items else ""

    def _is_live(self, file_id: str) -> bool:
        try:
            item = self._client.get(file_id, "id,labels(trashed)")
        except Missing:
            return False
        return not item["labels"]["trashed"]

    def _make(self, file_id: str, title: str, parent_id: str) -> bool:
        body = {
            "id": file_id,
            "title": title,
            "mimeType": MIME,
            "description": "Made by Snapbus",
            "parents": [{"id": parent_id}],
        }
        try:
            self._client.insert(body, None, "id")
        except Exists:
            return self._is_live(file_id)
        except Refused as error:  # perhaps an id of another account
            log.warning("Google refused the folder %s: %s", title, error)
            return False
        reach("google.folder_made")
        return True


_MADE_AGAIN = {"action": "drive_folder_made_again"}
