"""What an engine made of a model, kept for its next start, which would make the same again."""

from __future__ import annotations

import hashlib
import logging
import uuid
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

SEAL_BYTES = hashlib.sha256().digest_size


class Kept:
    """A file that holds the last thing written with a ``key``. The key says all that it depends
    on; a file with another one, or cut off, or damaged, counts as none."""

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._key = key.encode()

    def read(self) -> bytes | None:
        """What was kept, if it is whole and for this key."""
        try:
            with self._path.open("rb") as file:
                seal, kept = file.read(SEAL_BYTES), file.read()
        except OSError:
            return None
        return kept if seal == self._seal(kept) else None

    def write(self, made: memoryview) -> None:
        """Keep it, in place of what was kept; not being able to costs only time."""
        part = self._path.with_name(f"{self._path.name}.{uuid.uuid4().hex}.part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(self._seal(made))
                file.write(made)
            part.replace(self._path)
        except OSError as error:
            log.info("%s is not kept for the next start: %s", self._path, error.strerror)
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def _seal(self, content: bytes | memoryview) -> bytes:
        digest = hashlib.sha256(hashlib.sha256(self._key).digest())
        digest.update(content)
        return digest.digest()
