"""The volume of a store: its identity, its free space, its failures."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

from shared.errors import StoreDamaged, StoreError, StoreFull, StoreMissing
from shared.store.disk import SyncError, sync_folder, translated

IDENTITY = "store.json"
SPACE_CHECK_S = 1.0
PROBE_BYTES = 4096


class Volume:
    """What is below ``root``; the settings as in Store. Any thread."""

    def __init__(self, root: Path, *, reserve_fraction: float, reserve_bytes: int) -> None:
        self.root = root
        self._reserve_fraction = reserve_fraction
        self._reserve_bytes = reserve_bytes
        self._checked_at = float("-inf")
        self._check_lock = threading.Lock()
        self._damage = ""
        self._write_failed = False

    def name(self, store: str = "") -> None:
        """Give it an identity, unless it has one: that of ``store``, or a new one. Raises
        OSError."""
        identity = self.root / IDENTITY
        if identity.exists():
            return
        part = identity.with_suffix(f".{uuid.uuid4().hex}")
        with part.open("w", encoding="utf-8") as file:
            file.write(json.dumps({"store": store or str(uuid.uuid4())}))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another service was faster
            os.link(part, identity)
        part.unlink()
        sync_folder(self.root)

    def identity(self) -> str:
        """The id of the store on it. Raises StoreMissing when the volume isn't there."""
        try:
            return str(json.loads((self.root / IDENTITY).read_text(encoding="utf-8"))["store"])
        except (OSError, ValueError, KeyError) as error:
            raise StoreMissing(
                f"{self.root / IDENTITY} is missing: is the volume of the store mounted?"
            ) from error

    def failed(self, error: OSError, path: Path) -> StoreError:
        """The StoreError for a failed write. After a failed sync this process writes to the volume
        no more, because nobody knows what the disk holds of the latest writes."""
        told = translated(error, path)
        if isinstance(error, SyncError) and not isinstance(told, StoreFull):
            self._damage = (
                f"{self.root} could not be synced ({error.strerror}), so nothing more is stored "
                "there: check the disk (dmesg, smartctl), then start this service again"
            )
            return StoreDamaged(self._damage)
        self._write_failed = True
        return told

    def check_sound(self) -> None:
        """Raise StoreDamaged when a sync has failed since this process began."""
        if self._damage:
            raise StoreDamaged(self._damage)

    def check(self) -> None:
        """Raise StoreMissing when the volume isn't there, StoreDamaged when a sync has failed."""
        self.identity()
        self.check_sound()

    def check_writable(self) -> None:
        """Raise StoreError if a write has failed and a small file can't be written now either."""
        if not self._write_failed:
            return
        probe = self.root / "incoming" / f"{uuid.uuid4().hex}.part"
        try:
            probe.write_bytes(bytes(PROBE_BYTES))
        except OSError as error:
            raise translated(error, probe) from error
        finally:
            with suppress(OSError):
                probe.unlink(missing_ok=True)
        self._write_failed = False

    @property
    def has_room(self) -> bool:
        """Whether ``check_space`` would not look at the disk now, and find nothing wrong."""
        return not self._damage and time.monotonic() - self._checked_at < SPACE_CHECK_S

    def check_space(self) -> None:
        """Raise StoreFull when too little is left, and what ``check`` raises. Looks at the disk at
        most once a second."""
        self.check_sound()
        with self._check_lock:
            if time.monotonic() - self._checked_at < SPACE_CHECK_S:
                return
            self.check()
            usage = shutil.disk_usage(self.root)
            reserve = max(self._reserve_bytes, int(usage.total * self._reserve_fraction))
            if usage.free < reserve:
                raise StoreFull(
                    f"only {usage.free // 2**20} MiB free on {self.root}; "
                    f"{reserve // 2**20} MiB are kept in reserve"
                )
            self._checked_at = time.monotonic()
