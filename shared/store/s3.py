"""The store in a bucket, for several hosts; the folder below ``root`` holds copies.

A picture is acknowledged once the bucket has confirmed its checksum. ``<prefix>blobs/ab/<sha256>``
is written by whoever has these bytes, so that two hosts that write the same do no harm;
``<prefix>store.json`` names the store. Copies are bounded, and one that is not as its name says is
fetched again. While the bucket is away, doors refuse as they do when the disk is.
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.aws.bucket import Bucket
from shared.aws.errors import AwsAway, AwsBusy, AwsDamaged, AwsError, AwsMissing
from shared.errors import SnapshotMissing, StoreError
from shared.failpoint import reach
from shared.settings.s3 import StoreS3Section
from shared.store.copies import Copies
from shared.store.part import Part
from shared.store.s3_volume import S3Volume, translated
from shared.store.store import Blob, Store
from shared.store.volume import IDENTITY

log = logging.getLogger(__name__)

PROBE = b"probe"
IDENTITY_BYTES = 10_000
LARGEST_BYTES = 1_000_000_000
"""Of a blob that is fetched: it may be from when ``intake.max_bytes`` was higher."""
ONCE_MORE = AwsAway, AwsDamaged
"""What may be over at once, such as a connection that was closed while nobody used it."""


class S3Store(Store):
    """The store in ``bucket``. All methods may be called from any thread."""

    volume: S3Volume

    def __init__(
        self,
        root: Path,
        bucket: Bucket,
        section: StoreS3Section,
        *,
        max_bytes: int,
        probe: Bucket | None = None,
        reserve_fraction: float = 0.0,
        reserve_bytes: int = 0,
    ) -> None:
        """``probe`` is the same bucket for who can't wait long; a picture has ``max_bytes``."""
        super().__init__(root)
        self._bucket = bucket
        self._before = section.before
        self._most = max(max_bytes, LARGEST_BYTES)
        self.volume = S3Volume(
            root,
            lambda: (probe or bucket).put(f"{section.before}probe", PROBE, _sha256(PROBE)),
            reserve_fraction=reserve_fraction,
            reserve_bytes=reserve_bytes,
        )
        self._copies = Copies(root / "blobs", section.cache_bytes)
        self._senders = ThreadPoolExecutor(section.uploads, "store-s3")

    def key(self, sha256: str) -> str:
        """The key of a blob."""
        return f"{self._before}blobs/{sha256[:2]}/{sha256}"

    def where(self, sha256: str) -> str:
        return f"s3://{self._bucket.name}/{self.key(sha256)}"

    def create(self) -> str:
        """Make the store and the folder of its copies where there are none yet, and return the
        store's id. Raises StoreError."""
        store = self._identity()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self.volume.name(store)
        except OSError as error:
            raise StoreError(f"{self.root} can't be made: {error.strerror}") from error
        if self.volume.identity() != store:
            raise StoreError(
                f"{self.root} holds copies of another store than {self._bucket.name}: remove it"
            )
        return super().create()

    def _identity(self) -> str:
        """Of the store in the bucket; the first one names it. Several at the same time agree where
        the server knows conditional writes."""
        key = f"{self._before}{IDENTITY}"
        with self._asking():
            for _ in range(2):
                with suppress(AwsMissing):
                    return _id_in(self._bucket.read(key, IDENTITY_BYTES), self._bucket.name)
                data = json.dumps({"store": str(uuid.uuid4())}).encode()
                self._bucket.put_new(key, data, _sha256(data))
        raise StoreError(f"the bucket {self._bucket.name} does not keep {key}")

    def commit(self, parts: Sequence[Part]) -> list[Blob | StoreError]:
        """Send parts to the bucket, several at the same time; returns, for each, a blob once the
        bucket has confirmed it, or an error. A part with an error is discarded."""
        if len(parts) == 1:
            return [self._sent(parts[0])]
        return list(self._senders.map(self._sent, parts))

    def _sent(self, part: Part) -> Blob | StoreError:
        try:
            blob = Blob(part.sha256, part.size)
            with part.mapped() as data:
                self._put(bytes(data), blob.sha256)
        except AwsError as error:
            part.discard()
            return self.volume.refused(error)
        except StoreError as error:
            part.discard()
            return error
        reach("store.s3_confirmed")
        with suppress(OSError, StoreError):  # a copy is a convenience
            part.keep(self.place(blob.sha256))
            self._copies.added(blob.size)
        return blob

    def _put(self, data: bytes, sha256: str) -> None:
        self.volume.check_bucket()
        reach("store.s3_before_put")
        try:
            self._bucket.put(self.key(sha256), data, sha256)
        except ONCE_MORE as error:
            if isinstance(error, AwsBusy):
                raise
            self._bucket.put(self.key(sha256), data, sha256)

    def path(self, sha256: str) -> Path:
        """A copy of a blob, which stays for some minutes at least. Raises SnapshotMissing."""
        path = self.place(sha256)
        if not _is(path, sha256):
            self._fetch(sha256, path)
        self._copies.used(path)
        return path

    def read(self, sha256: str) -> bytes:
        for _ in range(2):
            with suppress(OSError):  # removed meanwhile
                data = self.path(sha256).read_bytes()
                if _sha256(data) == sha256:
                    return data
        raise StoreError(f"the copy of {sha256} can't be read")

    def _fetch(self, sha256: str, path: Path) -> None:
        """Make a copy. Raises SnapshotMissing, StoreError."""
        part = self.incoming / f"{uuid.uuid4().hex}.part"
        try:
            size = self._fetched(sha256, part)
            part.replace(path)
        except OSError as error:
            raise self.volume.failed(error, part) from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        self._copies.added(size)

    def _fetched(self, sha256: str, part: Path) -> int:
        """The size of a blob, whose bytes, proven, are in this file then. Raises SnapshotMissing,
        StoreError, OSError."""
        digest, size = hashlib.sha256(), 0
        with (
            part.open("wb") as file,
            self._asking(sha256),
            self._bucket.opened(self.key(sha256)) as (_, pieces),
        ):
            for piece in pieces:
                size += len(piece)
                if size > self._most:
                    raise StoreError(f"{self.where(sha256)} has more than {self._most} bytes")
                digest.update(piece)
                try:
                    file.write(piece)
                    file.flush()
                except OSError as error:  # here, or it would count as one of the connection
                    raise self.volume.failed(error, part) from error
        if digest.hexdigest() != sha256:
            raise StoreError(f"{self.where(sha256)} no longer has the bytes of its name")
        return size

    def digest(self, sha256: str) -> str:
        """The SHA-256 that the bytes in the bucket have now. Raises SnapshotMissing."""
        digest = hashlib.sha256()
        with self._asking(sha256), self._bucket.opened(self.key(sha256)) as (_, pieces):
            for piece in pieces:
                digest.update(piece)
        return digest.hexdigest()

    def size(self, sha256: str) -> int:
        with self._asking(sha256):
            return self._bucket.look(self.key(sha256)).size

    def kept(self) -> Iterator[tuple[str, float]]:
        with self._asking():
            for each in self._bucket.under(f"{self._before}blobs/"):
                yield each.key.rpartition("/")[2], each.changed_at.timestamp()

    def sweep(self, older_than_s: float = 3600.0) -> int:
        """Delete forgotten ``.part`` files, and copies beyond the bound."""
        self._copies.trim()
        return super().sweep(older_than_s)

    @contextmanager
    def _asking(self, sha256: str = "") -> Iterator[None]:
        try:
            yield
        except AwsMissing as error:
            raise SnapshotMissing(f"no object {sha256} in {self._bucket.name}") from error
        except AwsError as error:
            raise translated(error) from error


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _is(path: Path, sha256: str) -> bool:
    """Whether the copy is there, and as its name says: it was not synced."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _id_in(data: bytes, bucket: str) -> str:
    try:
        return str(json.loads(data)["store"])
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{IDENTITY} in {bucket} names no store: restore it") from None
