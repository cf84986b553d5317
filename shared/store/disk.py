"""What every writer of files needs: syncs, and our errors for the system's."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import StoreError, StoreFull, StoreMissing

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class SyncError(OSError):
    """A sync failed: writes since the last one may be lost, even if a second sync succeeds."""


@contextmanager
def syncing() -> Iterator[None]:
    """Turn an OSError of the block into a SyncError."""
    try:
        yield
    except OSError as error:
        raise SyncError(error.errno, error.strerror) from error


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder. Raises OSError; SyncError if the sync itself failed."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with syncing():
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def translated(error: OSError, path: Path) -> StoreError:
    """The StoreError for an OSError at a file of the store."""
    if error.errno in _NO_SPACE:
        return StoreFull(f"no space left for {path.parent}")
    if error.errno == errno.ENOENT:
        return StoreMissing(f"{path.parent} is missing: is the volume of the store mounted?")
    return StoreError(f"{path}: {error.strerror}")
