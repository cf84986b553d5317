"""The Google Drive archive: ``<folder>/YYYY/MM/DD/<camera>_<time>_<id>.jpg``."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, tzinfo
from pathlib import Path
from typing import Any

from services.drive.archives.archive import Entry, Filed, Filing, NotThere
from services.drive.archives.google.archiver import Archiver
from services.drive.archives.google.client import Client, Item
from services.drive.archives.google.daily import Daily
from services.drive.archives.google.errors import (
    Busy,
    GoogleError,
    Halted,
    Missing,
    Refused,
    is_login,
)
from services.drive.archives.google.folders import Folders
from services.drive.archives.google.listing import Listing
from services.drive.archives.google.pace import Pace
from services.drive.archives.google.token import token_file
from services.drive.archives.google.uploads import FolderGone, Uploads, Wanted
from shared.errors import Retry, Unreachable
from shared.journal import Journal
from shared.service import Source
from shared.settings.google import GoogleSection

log = logging.getLogger(__name__)

OFFER = (
    "On the machine where Snapbus runs, this prints an address for a browser on any computer; "
    "then filing goes on by itself:"
)
CHUNK_BYTES = 1 << 20
PROBE_S = 10.0
"""Google is not asked more often whether it is there again."""


class GoogleArchive:
    """Files in one folder of one account. Any thread, and several processes."""

    def __init__(
        self,
        name: str,
        section: GoogleSection,
        data: Path,
        journal: Journal,
        pace: Pace | None = None,
        *,
        zone: tzinfo | None = None,
    ) -> None:
        """``zone`` is that of the days of what lies flat in the folder."""
        self.name = name
        self.place = f"Google Drive {section.shared_drive}".rstrip() + f", folder {section.folder}"
        self.client = Client(
            token_file(data, section.token),
            service=section.service,
            acts_for=section.acts_for,
            scope=section.scope,
            api=section.api,
            timeout_s=section.timeout_s,
            pace=pace or Pace(),
        )
        self.folders = Folders(self.client, journal, name, section.folder, section.shared_drive)
        self._uploads = Uploads(self.client, journal, name)
        self._listing = Listing(self.client, self.folders)
        self.archiver = Archiver(self.client, self.folders, zone, section.streams)
        self._daily = Daily(name, self.archiver, section.archive_at, zone)
        self._trouble: GoogleError | None = None
        command = "./taskw drive:login" + (f" -- --archive {name}" if name != "google" else "")
        self._offer = {"offer": command, "offer_words": OFFER}

    def prepare(self, *, first: bool) -> None:
        """Nothing: a service starts also while Google is away or nobody is logged in."""

    def file(self, filing: Filing) -> Filed:
        """Hold these bytes as one file, whatever was sent before."""
        with self._translated():
            item = self._hold(filing, _md5(filing))
        return Filed(filing.path, str(item.get("alternateLink", "")), str(item["id"]))

    def _hold(self, filing: Filing, md5: str) -> Item:
        for _ in range(3):
            *folders, title = filing.path.split("/")
            body = _body(filing, title, self.folders.of(*folders))
            # What is put back under an old path is a file of its own.
            kind = f"{filing.kind} {filing.at}".rstrip()
            wanted = Wanted(filing.snapshot_id, kind, body, filing.source, md5, filing.size)
            try:
                return self._uploads.hold(wanted)
            except FolderGone as error:
                self.folders.forget()
                self._take_out(error.item, self.folders.of(*folders))
        raise Busy("the folder of that day is removed again and again")

    def _take_out(self, item: Item | None, folder: str) -> None:
        """Move a file out of a folder that is in the trash."""
        if item:
            before = ",".join(each["id"] for each in item["parents"])
            self.client.patch(item["id"], {}, "id", add=folder, remove=before)

    def days(self) -> Iterator[date]:
        with self._translated():
            yield from self._listing.days()

    def day(self, day: date) -> Iterator[Entry]:
        with self._translated():
            yield from self._listing.day(day)

    def read(self, entry: Entry) -> Iterator[bytes]:
        with self._translated():
            try:
                yield from self.client.read(entry.key or self._listing.id_of(entry.path))
            except Missing as error:
                raise NotThere(f"archive {self.name} does not hold {entry.path}") from error

    def hold(self, entry: Entry, *, on: bool) -> None:
        """Drive removes nothing by itself."""

    def manifest(self, day: date) -> bytes:
        with self._translated():
            return self._listing.manifest(day)

    def write_manifest(self, day: date, data: bytes) -> None:
        with self._translated():
            self._listing.write_manifest(day, data)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except GoogleError as error:
            if isinstance(error, Refused):
                raise Retry(str(error)) from error
            self._note(error)
            after_s = error.after_s if isinstance(error, Busy | Halted) else 0.0
            after_s = max(PROBE_S, after_s)
            raise Unreachable(f"archive {self.name}", str(error), after_s=after_s) from error
        if self._trouble:
            self._note(None)

    def _note(self, error: GoogleError | None) -> None:
        """What the page says; who reads the log is told once that the account stopped, and once
        that it goes on."""
        before, self._trouble = self._trouble, error
        reasons = [each.reason if isinstance(each, Halted) else "" for each in (before, error)]
        if reasons[0] != reasons[1]:
            if isinstance(error, Halted):
                log.error("%s stopped: %s", self.name, error, extra={"action": "archive_stopped"})
            elif error is None:
                log.info("%s goes on", self.name, extra={"action": "archive_goes_on"})

    def sources(self) -> Sequence[Source]:
        return [self._daily]

    def about(self) -> Mapping[str, Any]:
        if trouble := self.client.problem() or self._trouble:
            told = {"ok": False, "summary": f"{self.place}: {trouble}"}
            return told | (self._offer if is_login(trouble) else {})
        works = f"; {self._daily.words}" if self._daily.words else ""
        return {"ok": True, "summary": f"filing in {self.place}{works}"}


def _md5(filing: Filing) -> str:
    """What Drive shall say of the bytes; those of the store are proven on the way."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with filing.source.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            sha256.update(chunk)
            md5.update(chunk)
    if sha256.hexdigest() != filing.sha256:
        raise Retry(f"{filing.title}: the file differs from the picture; it was not sent")
    return md5.hexdigest()


def _body(filing: Filing, title: str, folder: str) -> dict[str, Any]:
    """What Drive knows of the file. The description is found by its search; the properties are
    seen by this program only."""
    taken = filing.captured_at.astimezone(UTC)
    is_encrypted = filing.kind.startswith("encrypted")
    shown = () if is_encrypted else filing.labels  # what is in the picture is secret
    properties = {
        "snapbus_id": filing.snapshot_id,
        "snapbus_kind": filing.kind,
        "snapbus_camera": filing.camera,
        "snapbus_sha256": filing.sha256,
        "snapbus_labels": " ".join(shown),
    }
    told = [filing.camera, f"{filing.captured_at:%Y-%m-%d %H:%M:%S}", ", ".join(shown)]
    return {
        "title": title,
        "mimeType": "application/octet-stream" if is_encrypted else filing.media_type,
        "parents": [{"id": folder}],
        "createdDate": f"{taken:%Y-%m-%dT%H:%M:%S}.{taken.microsecond // 1000:03}Z",
        "description": "\n".join([*filter(None, told), f"Snapbus {filing.snapshot_id}"]),
        "properties": [
            {"key": key, "value": _fitting(key, value), "visibility": "PRIVATE"}
            for key, value in properties.items()
            if value
        ],
    }


def _fitting(key: str, value: str) -> str:
    """As much as Drive takes: 124 bytes in key and value together."""
    return value.encode()[: 124 - len(key)].decode(errors="ignore")
