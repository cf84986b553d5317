"""What browsers get to see: re-encoded, upright, without EXIF; cached beside the store.

The cache can be deleted at any time. Its files are named after the picture they come from, so
they never go stale.
"""

from __future__ import annotations

import os
import time
import uuid
from contextlib import suppress
from pathlib import Path

from services.api.recent import Recent
from shared.errors import PictureError, StoreError, UnsoundPicture
from shared.picture.budget import ORDINARY_FILE
from shared.picture.decode import Limits, decode, encode, thumbnail
from shared.store import Store

QUALITY = 88
KEEP_DAYS = 14
MOST_REFUSED, REFUSED_S = 1000, 600.0


class Derivatives:
    """Builds and finds derivatives. Any thread; building one takes a core for up to a second."""

    def __init__(
        self, store: Store, limits: Limits, thumbnail_px: int, memory_bytes: int = 0
    ) -> None:
        self._store = store
        self._limits = limits
        self._thumbnail_px = thumbnail_px
        self.thumbnail_kind = f"thumbnail-{thumbnail_px}"
        self.clean_kind = "clean"
        self._refused: dict[str, tuple[float, str]] = {}
        self._recent = Recent(memory_bytes)

    def cached(self, kind: str, sha256: str) -> Path | None:
        """The file of a derivative that was built before."""
        path = self._store.derived(kind, sha256)
        return path if path.is_file() else None

    def remembered(self, kind: str, sha256: str) -> bytes | None:
        """The bytes of a derivative that was shown lately. Never blocks."""
        return self._recent.get(f"{kind}/{sha256}")

    def read(self, kind: str, sha256: str, path: Path) -> bytes | None:
        """The bytes of the file of a derivative, remembered from now on; None: it is too large for
        that, or was just swept. Raises StoreError."""
        try:
            if not self._recent.fits(path.stat().st_size):
                return None
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{path.parent}: {error.strerror}") from error
        self._recent.keep(f"{kind}/{sha256}", data)
        return data

    def build(self, kind: str, sha256: str) -> Path:
        """Build a derivative. Raises PictureError, Crashed, SnapshotMissing, StoreError."""
        since, why = self._refused.get(sha256, (0.0, ""))
        if why and time.monotonic() - since < REFUSED_S:
            raise UnsoundPicture(why)  # whoever asks again, it costs no second decode
        try:
            jpeg = self._encoded(kind, sha256)
        except PictureError as error:
            if len(self._refused) >= MOST_REFUSED:
                self._refused.pop(next(iter(self._refused)), None)
            self._refused[sha256] = time.monotonic(), str(error)
            raise
        path = self._store.derived(kind, sha256)
        part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(jpeg)
            part.replace(path)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise StoreError(f"{path.parent}: {error.strerror}") from error
        return path

    def _encoded(self, kind: str, sha256: str) -> bytes:
        path = self._store.path(sha256)
        large = path.stat().st_size > ORDINARY_FILE
        source = path if large else self._store.read(sha256)
        if kind == self.thumbnail_kind:
            return thumbnail(source, self._thumbnail_px, self._limits)
        return encode(decode(source, self._limits).pixels, QUALITY)

    def sweep(self) -> int:
        """Delete derivatives that nobody built for a while; returns how many."""
        limit = time.time() - KEEP_DAYS * 86_400
        swept = 0
        for folder, _folders, names in os.walk(self._store.root / "cache"):
            for name in names:
                path = Path(folder, name)
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < limit:
                        path.unlink()
                        swept += 1
        return swept
