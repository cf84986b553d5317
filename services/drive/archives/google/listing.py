"""What the archive holds in Google Drive, by day, and the manifests of its days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from services.drive.archives.archive import MANIFEST, Entry
from services.drive.archives.google.client import Client, Item
from services.drive.archives.google.errors import Busy, Missing
from services.drive.archives.google.folders import MIME, Folders, quoted

FIELDS = (
    "id,title,mimeType,fileSize,md5Checksum,sha256Checksum,labels(starred),properties(key,value)"
)
DEEPEST = 8
MOST_BYTES = 64 << 20
"""A manifest is not larger: its days have some 200 000 pictures then."""


class Listing:
    """Any thread; raises GoogleError and JournalUnavailable. Makes no folder but for a manifest."""

    def __init__(self, client: Client, folders: Folders) -> None:
        self._client = client
        self._folders = folders

    def days(self) -> Iterator[date]:
        """The days with a folder that is not empty, oldest first."""
        top = self._folders.find()
        found = []
        for year in self._below(top) if top else ():
            for month in self._below(year["id"]):
                for day in self._below(month["id"]):
                    if moment := _date(year["title"], month["title"], day["title"]):
                        found.append(moment)
        yield from sorted(set(found))

    def day(self, day: date) -> Iterator[Entry]:
        """The files of a day."""
        folder = self._folders.find(*_names(day))
        if folder:
            yield from self._files(folder, "/".join(_names(day)), top=True)

    def _files(self, folder: str, path: str, *, top: bool, depth: int = 0) -> Iterator[Entry]:
        for item in self._client.all(_in(folder), FIELDS, **self._folders.where):
            below = f"{path}/{item['title'].replace('/', '_')}"
            if item["mimeType"] == MIME:
                if depth < DEEPEST:
                    yield from self._files(item["id"], below, top=False, depth=depth + 1)
            elif not (top and item["title"] == MANIFEST):
                yield _entry(item, below)

    def id_of(self, path: str) -> str:
        """The id of the file with this path; raises Missing."""
        *folders, title = path.split("/")
        if (folder := self._folders.find(*folders)) and (item := self._child(folder, title)):
            return str(item["id"])
        raise Missing(f"there is no {path}")

    def manifest(self, day: date) -> bytes:
        """Its bytes; empty: there is none. Raises Busy for more than MOST_BYTES."""
        folder = self._folders.find(*_names(day))
        item = self._child(folder, MANIFEST) if folder else None
        found = bytearray()
        for chunk in self._client.read(item["id"]) if item else ():
            found += chunk
            if len(found) > MOST_BYTES:
                raise Busy(f"the {MANIFEST} of {day} has more than {MOST_BYTES} bytes")
        return bytes(found)

    def write_manifest(self, day: date, data: bytes) -> None:
        """Replace its bytes, which Drive does as one step."""
        folder = self._folders.of(*_names(day))
        if item := self._child(folder, MANIFEST):
            self._client.rewrite(item["id"], data, "id")
            return
        body = {
            "id": self._client.ids(1)[0],
            "title": MANIFEST,
            "mimeType": "application/jsonl",
            "parents": [{"id": folder}],
        }
        self._client.insert(body, data, "id")

    def _child(self, folder: str, title: str) -> Item | None:
        query = f"{_in(folder)} and title = {quoted(title)}"
        items = list(self._client.all(query, "id,title,createdDate", **self._folders.where))
        return min(items, key=lambda each: str(each["createdDate"])) if items else None

    def _below(self, folder: str) -> list[Item]:
        query = f"{_in(folder)} and mimeType = '{MIME}'"
        return list(self._client.all(query, "id,title", **self._folders.where))


def _in(folder: str) -> str:
    return f"{quoted(folder)} in parents and trashed = false"


def _names(day: date) -> tuple[str, str, str]:
    return f"{day:%Y}", f"{day:%m}", f"{day:%d}"


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date.fromisoformat(f"{year}-{month}-{day}")
    except ValueError:
        return None


def _entry(item: Item, path: str) -> Entry:
    properties = {each["key"]: each["value"] for each in item.get("properties", ())}
    return Entry(
        path,
        int(item.get("fileSize", 0)),
        key=item["id"],
        sha256=item.get("sha256Checksum", ""),
        md5=item.get("md5Checksum", ""),
        starred=bool(item["labels"]["starred"]),
        snapshot_id=properties.get("snapbus_id", ""),
    )
