"""What the test button of a camera uploads: nothing, a few words, or a picture of one pixel."""

from __future__ import annotations

import re

from shared.errors import PictureError
from shared.picture.format import MAGIC, begins
from shared.picture.header import read_header
from shared.store import Part

PROBE_BYTES = 1024
"""A smaller file that is no picture is a camera's test."""
PROBE_PIXELS = 8
"""And so is a picture of at most so many each way."""

_NAME = re.compile(r"(?i)(?<![a-z])(dvrworkdirectory|(ftp)?[-_ ]?test[^/]*)$")
_PICTURE_NAME = re.compile(r"(?i)\.(jpe?g|png)$")


def is_test_name(path: str) -> bool:
    """Whether cameras call what their test button uploads so."""
    return bool(_NAME.search(path.rpartition("/")[2]))


def is_probe(name: str, part: Part) -> bool:
    """Whether this upload is a test and no picture."""
    head = part.head
    if part.size >= PROBE_BYTES:
        return False
    if head.startswith(MAGIC):
        return _is_tiny(part)
    if is_test_name(name):
        return True
    if _PICTURE_NAME.search(name):
        return False
    # The first bytes of a picture, and no more, are a cut upload and not a test.
    return not begins(head)


def _is_tiny(part: Part) -> bool:
    try:
        with part.mapped() as data:
            header = read_header(data)
    except PictureError:
        return False
    return max(header.width, header.height) <= PROBE_PIXELS
