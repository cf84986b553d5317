"""Copies of the tokens by which we log in elsewhere, such as that of Google Drive: to make a new
one takes a person."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from shared.store.disk import sync_folder

log = logging.getLogger(__name__)

MOST_BYTES = 1_000_000
BEFORE = ".before"


class TokenBackup:
    """Copies the files that match ``patterns`` below ``data`` into its folder ``backup``. A copy
    that differs is kept as ``<name>.before``; an empty file, which may be one that is just being
    written, replaces nothing."""

    def __init__(self, data: Path, patterns: Sequence[str]) -> None:
        self._data = data
        self._patterns = patterns

    def __call__(self) -> None:
        """Raises OSError."""
        for token in self._tokens():
            content = token.read_bytes()
            copy = self._data / "backup" / token.relative_to(self._data)
            if content.strip() and _content(copy) != content:
                _replace(copy, content)
                log.info("copied %s", copy, extra={"action": "token_copied"})

    def _tokens(self) -> Iterator[Path]:
        for pattern in self._patterns:
            for path in sorted(self._data.glob(pattern)):
                whole = path.is_file() and not path.is_symlink() and not path.name.endswith(".part")
                if whole and path.stat().st_size <= MOST_BYTES:
                    yield path


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _replace(copy: Path, content: bytes) -> None:
    """At each moment there is a whole copy."""
    copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = copy.with_name(f"{copy.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if copy.is_file():
        before = copy.with_name(copy.name + BEFORE)
        before.unlink(missing_ok=True)
        os.link(copy, before)
    part.replace(copy)
    sync_folder(copy.parent)
