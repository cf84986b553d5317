"""What is remembered of Google Drive: which id a file or folder has there, before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.journal.owned import OwnedTable

OWNER = "drive"


@dataclass(frozen=True, slots=True)
class Upload:
    """The id under which a filing is or will be held; recorded before its bytes are sent, so that
    sending them again makes no second file. ``spoilt``: ids that were given up before it."""

    archive: str
    snapshot_id: str
    kind: str
    file_id: str
    spoilt: int
    reserved_at: datetime


@dataclass(frozen=True, slots=True)
class Folder:
    """The id of a folder, likewise; ``path`` begins with the title of the archive's own folder."""

    archive: str
    path: str
    file_id: str
    reserved_at: datetime


UPLOADS = OwnedTable(OWNER, "uploads", Upload, ("archive", "snapshot_id", "kind"))
FOLDERS = OwnedTable(OWNER, "folders", Folder, ("archive", "path"))
