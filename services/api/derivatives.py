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

from shared.errors import StoreError
from shared.picture.decode import Limits, decode, encode, thumbnail
from shared.store import Store

QUALITY = 88
KEEP_DAYS = 14


class Derivatives:
    """Builds and finds derivatives. Any thread; building one takes a core for up to a second."""

    def __init__(self, store: Store, limits: Limits, thumbnail_px: int) -> None:
        self._store = store
        self._limits = limits
        self._thumbnail_px = thumbnail_px
        self.thumbnail_kind = f"thumbnail-{thumbnail_px}"
        self.clean_kind = "clean"

    def cached(self, kind: str, sha256: str) -> Path | None:
        """The file of a derivative that was built before."""
        path = self._store.derived(kind, sha256)
        return path if path.is_file() else None

    def build(self, kind: str, sha256: str) -> Path:
        """Build a derivative. Raises PictureError, SnapshotMissing, StoreError."""
        data = self._store.read(sha256)
        if kind == self.thumbnail_kind:
            jpeg = thumbnail(data, self._thumbnail_px, self._limits)
        else:
            jpeg = encode(decode(data, self._limits).pixels, QUALITY)
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
