"""The file with the token of a Google account: 0600, replaced as a whole, changed under a lock.

Its format is that of oauth2client, which PyDrive and the programs before Snapbus write too, so that
a token of theirs is taken as it is.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from shared.store.disk import sync_folder

MOST_BYTES = 1_000_000
OLDER = "snapshot_processor_creds"
"""Name and place of the token, below the data folder, in installations before Snapbus."""

Version = tuple[int, int, int]


class TokenFile:
    """Any thread, and any process that shares the file system."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes the token meanwhile. Raises OSError."""
        self._make_folder()
        with self._lock:
            descriptor = os.open(self.path.with_name(f".{self.path.name}.lock"), _LOCK, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)

    def version(self) -> Version | None:
        """What changes with each change of the file; None: there is none."""
        with suppress(OSError):
            status = self.path.stat()
            return status.st_ino, status.st_mtime_ns, status.st_size
        return None

    def read(self) -> dict[str, Any] | None:
        """The token, or None if there is none that can be read."""
        with suppress(OSError, ValueError):
            if self.path.stat().st_size <= MOST_BYTES:
                found = json.loads(self.path.read_text(encoding="utf-8"))
                return found if isinstance(found, dict) else None
        return None

    def write(self, token: Mapping[str, Any]) -> None:
        """Replace the token: at each moment there is a whole one. Raises OSError."""
        self._make_folder()
        # A link would be followed to a file that may be anybody's.
        part = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex}.part")
        try:
            with os.fdopen(os.open(part, _NEW, 0o600), "w", encoding="utf-8") as file:
                json.dump(token, file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        finally:
            part.unlink(missing_ok=True)
        sync_folder(self.path.parent)

    def _make_folder(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)


_LOCK = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def token_file(data: Path, chosen: Path) -> TokenFile:
    """The token's file: where ``chosen`` says, relative paths being below the data folder; as long
    as there is none, that of an installation before Snapbus."""
    path, older = data / chosen, data / OLDER
    return TokenFile(older if older.is_file() and not path.exists() else path)
