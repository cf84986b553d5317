"""The copies of a picture that an archive is to hold, and their encryption before they are sent."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from services.drive.age import SUFFIX, Recipients
from shared.events import ORIGINAL
from shared.store.disk import sync_folder

ENCRYPTED = "encrypted"
KEPT_S = 600.0
"""How long an encrypted file stays: a repeat within it sends the same bytes."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Bytes to be sent; ``suffix`` ends the name of their file."""

    kind: str
    source: Path
    sha256: str
    size: int
    suffix: str


def encrypted_kind(kind: str) -> str:
    """The kind of a copy once it is encrypted."""
    return ENCRYPTED if kind == ORIGINAL else f"{ENCRYPTED}-{kind}"


class Encryption:
    """Encrypts copies into a folder of this machine. Each encryption of the same picture has other
    bytes, so the first one stays for a while, and who sends it anew takes that."""

    def __init__(self, recipients: Sequence[str], folder: Path) -> None:
        """Raises ConfigError for a wrong recipient."""
        self._recipients = Recipients(recipients)
        self._folder = folder

    def __bool__(self) -> bool:
        return bool(self._recipients)

    def of(self, copy: Copy, snapshot_id: str, *, fresh: bool = False) -> Copy:
        """The encrypted copy; ``fresh``: of now, even if there is one. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._forget()
        suffix = copy.suffix + SUFFIX
        target = self._folder / f"{snapshot_id}-{copy.kind}{suffix}"
        if fresh or not target.exists():
            self._encrypt(copy.source, target, fresh=fresh)
        os.utime(target)  # in use
        with target.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Copy(encrypted_kind(copy.kind), target, digest, target.stat().st_size, suffix)

    def _encrypt(self, source: Path, target: Path, *, fresh: bool) -> None:
        part = target.with_name(f"{target.name}.{os.getpid()}-{time.monotonic_ns()}.part")
        try:
            self._recipients.encrypt(source, part)
            descriptor = os.open(part, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if fresh:
                part.replace(target)
            else:
                with suppress(FileExistsError):  # of two at once, the first one counts
                    os.link(part, target)
            sync_folder(self._folder)
        finally:
            part.unlink(missing_ok=True)

    def _forget(self) -> None:
        limit = time.time() - KEPT_S
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < limit:
                    path.unlink()
