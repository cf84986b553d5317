"""Files that are not whole yet: told from those that will never be a picture."""

from __future__ import annotations

from shared.picture.format import begins, sniff


class Unfinished(Exception):
    """The file changes while it is read, or nothing is in it yet."""


def check_start(chunk: bytes) -> None:
    """Raise NotAPicture for what can't become one; some writers reserve zeros first."""
    if not chunk.strip(b"\0") or begins(chunk):
        raise Unfinished("only its beginning is there")
    sniff(chunk)
