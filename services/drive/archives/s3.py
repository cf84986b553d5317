"""The S3 archive: ``<prefix>/YYYY/MM/DD/<camera>_<time>_<id>.jpg`` in a bucket of any server.

Filing needs the right to write only (s3:PutObject); verifying and restoring need those to list and
to read. Where rules of the bucket remove or move pictures, each carries a tag by which they find
it, and which a held one has not (s3:PutObjectTagging, s3:GetObjectTagging).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from services.drive.archives.archive import MANIFEST, Archive, Entry, Filed, Filing, NotThere
from shared.aws.bucket import Bucket
from shared.aws.client import Client
from shared.aws.errors import AwsError, AwsForbidden, AwsMissing, for_handler
from shared.errors import Reject
from shared.failpoint import reach
from shared.journal import Journal
from shared.service import Source
from shared.settings.archive import DriveSection
from shared.settings.aws import AwsSection
from shared.settings.s3 import S3Section

CHUNK_BYTES = 1 << 20
LOOKS = 8
"""Objects that are looked at at the same time."""
MANIFEST_BYTES = 64_000_000
"""A hundred thousand pictures in a day and more."""
TAG, FILED, HELD = "snapbus", "filed", "held"
_METADATA = {"snapbus-id": "snapshot_id", "snapbus-camera": "camera", "snapbus-kind": "kind"}


class S3Archive:
    """Objects of one bucket below a prefix. Any thread; several may file the same snapshot."""

    def __init__(self, name: str, section: S3Section, bucket: Bucket) -> None:
        self.name = name
        self.place = f"s3://{bucket.name}/{section.prefix} at {bucket.server}".replace("/ ", " ")
        self._before = section.before
        self._bucket = bucket
        self._about = {"StorageClass": section.storage_class} if section.storage_class else {}
        self._tagged = section.rules.any
        self._trouble = ""

    def prepare(self, *, first: bool) -> None:
        """Nothing: rights to write only suffice, and a service starts while S3 is away."""

    def file(self, filing: Filing) -> Filed:
        """Write the object whatever is there: the same bytes change nothing, and others are to be
        replaced."""
        data = filing.source.read_bytes()
        metadata = {name: str(getattr(filing, of)) for name, of in _METADATA.items()}
        about = {**self._about, "ContentType": filing.media_type, "Metadata": metadata}
        key = self._before + filing.path
        with self._translated():
            if self._tagged:
                about["Tagging"] = urlencode({TAG: FILED, **self._tags(key)})
            self._bucket.put(key, data, filing.sha256, **about)
            reach("drive.checked")
        return Filed(filing.path)

    def _tags(self, key: str) -> dict[str, str]:
        """Those it has, so that filing again ends no hold and removes no tag of its people."""
        try:
            return self._bucket.tags(key)
        except AwsMissing:
            return {}

    def days(self) -> Iterator[date]:
        with self._translated(reading=True):
            for year in self._numbers(""):
                for month in self._numbers(f"{year}/"):
                    for day in self._numbers(f"{year}/{month}/"):
                        if found := _date(year, month, day):
                            yield found

    def _numbers(self, below: str) -> list[str]:
        found = self._bucket.folders(self._before + below)
        return sorted(each for each in found if each.isdecimal())

    def day(self, day: date) -> Iterator[Entry]:
        folder = f"{self._before}{day:%Y/%m/%d}/"
        with self._translated(reading=True), ThreadPoolExecutor(LOOKS, "s3-look") as pool:
            keys: list[str] = []
            for each in self._bucket.under(folder):
                if each.key != folder + MANIFEST and not each.key.endswith("/"):
                    keys.append(each.key)
                if len(keys) == 20 * LOOKS:
                    yield from filter(None, pool.map(self._entry, keys))
                    keys = []
            yield from filter(None, pool.map(self._entry, keys))

    def _entry(self, key: str) -> Entry | None:
        try:
            found = self._bucket.look(key)
        except AwsMissing:  # removed meanwhile
            return None
        return Entry(
            key.removeprefix(self._before),
            found.size,
            sha256=found.sha256,
            md5=found.md5,
            snapshot_id=found.metadata.get("snapbus-id", ""),
        )

    def read(self, entry: Entry) -> Iterator[bytes]:
        with self._translated(reading=True):
            try:
                with self._bucket.opened(self._before + entry.path) as (_, pieces):
                    yield from pieces
            except AwsMissing as error:
                raise NotThere(f"archive {self.name} does not hold {entry.path}") from error

    def hold(self, entry: Entry, *, on: bool) -> None:
        """Tag it for the rules of the bucket; nothing, where none are configured."""
        if self._tagged:
            key = self._before + entry.path
            with self._translated():
                try:
                    tags = self._bucket.tags(key)
                    self._bucket.tag(key, {**tags, TAG: HELD if on else FILED})
                except AwsMissing as error:
                    raise NotThere(f"archive {self.name} does not hold {entry.path}") from error

    def manifest(self, day: date) -> bytes:
        with self._translated(reading=True):
            try:
                return self._bucket.read(self._manifest(day), MANIFEST_BYTES)
            except AwsMissing:
                return b""

    def write_manifest(self, day: date, data: bytes) -> None:
        sha256 = hashlib.sha256(data).hexdigest()
        with self._translated():
            self._bucket.put(self._manifest(day), data, sha256, ContentType="application/jsonl")

    def _manifest(self, day: date) -> str:
        return f"{self._before}{day:%Y/%m/%d}/{MANIFEST}"

    @contextmanager
    def _translated(self, reading: bool = False) -> Iterator[None]:
        """Errors of S3 as those of archives. Keys that may not read are no trouble of filing."""
        try:
            yield
        except AwsError as error:
            if (
                reading
                and isinstance(error, AwsForbidden)
                and error.code in ("AccessDenied", "403")
            ):
                raise Reject(
                    f"archive {self.name}: {error}: s3:ListBucket, s3:GetObject"
                ) from error
            self._trouble = str(error)
            raise for_handler(error, f"archive {self.name}") from error
        self._trouble = ""

    def sources(self) -> Sequence[Source]:
        return ()

    def about(self) -> Mapping[str, Any]:
        if self._trouble:
            return {"ok": False, "summary": f"{self.place}: {self._trouble}"}
        return {"ok": True, "summary": f"filing in {self.place}"}


def bucket_of(section: DriveSection) -> Bucket:
    """The bucket of an archive. Raises ConfigError."""
    return Bucket(Client("s3", section.s3.account or AwsSection()), section.s3.bucket)


def archive(name: str, section: DriveSection, _data: Path, _journal: Journal) -> Archive:
    """The archive in the section's bucket. Raises ConfigError."""
    return S3Archive(name, section.s3, bucket_of(section))


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date.fromisoformat(f"{year}-{month}-{day}")
    except ValueError:
        return None
