"""The files of a snapshot in the API's answers: the store's, and those of archives."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from shared.events import ORIGINAL
from shared.journal.queries.snapshots import Snapshot


class FilingView(BaseModel):
    """What an archive did. ``state``: archived, at this path; or skipped, by this policy ("off":
    nothing is filed). ``kind``: `original`, or how this copy differs; ``link`` opens it."""

    archive: str
    state: str
    path: str = ""
    policy: str = ""
    kind: str = ORIGINAL
    link: str | None = None


class Urls(BaseModel):
    """Where to read on."""

    page: str
    snapshot: str
    picture: str
    thumbnail: str
    original: str


class FileView(BaseModel):
    """A file of a snapshot. ``snapshot``: as it came; ``picture`` and ``thumbnail``: made of it for
    browsers, without EXIF; ``archive``: the copy of an archive, at this path of it."""

    kind: Literal["snapshot", "picture", "thumbnail", "archive"]
    media_type: str
    size: int | None = None
    url: str = ""
    archive: str = ""
    path: str = ""


def files(row: Snapshot, at: Urls) -> list[FileView]:
    """All files of a snapshot."""
    kind = row.media_type
    found = [FileView(kind="snapshot", media_type=kind, size=row.size, url=at.original)]
    if row.state != "quarantined":  # of one that is damaged, nothing is made
        found.append(FileView(kind="picture", media_type="image/jpeg", url=at.picture))
        found.append(FileView(kind="thumbnail", media_type="image/jpeg", url=at.thumbnail))
    for each in row.filings:
        if each.path:
            copy = {"archive": each.archive, "path": each.path, "size": each.size or row.size}
            copy |= {
                "media_type": "application/age" if each.path.endswith(".age") else kind,
                "url": each.link or "",
            }
            found.append(FileView.model_validate({"kind": "archive", **copy}))
    return found
