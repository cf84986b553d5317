"""Which of several cameras a name is of, where they share one account or one folder.

A camera is known by whole words: as a folder of the path, or as the beginning of the file's own
name. So ``gate`` is in ``gate/1.jpg`` and ``Gate_00_2026….jpg``, and not in ``gatehouse/1.jpg``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from shared.errors import ConfigError
from shared.ingest.names import NameReader

MOST_WORDS = 40
"""Ends of words in a file's own name at which a camera may end."""

_BETWEEN = re.compile(r"[\s_-]+")
# A hyphen ends a camera's name only before a date: gate-2 is not gate.
_END = re.compile(r"[\s_.(\[{@+]|-(?=\d{6})")


class Recogniser:
    """Knows cameras by what they are called. Any thread."""

    def __init__(self, called: Mapping[str, Sequence[str]]) -> None:
        """``called`` are the names of each camera besides its own. Raises ConfigError where two
        share one."""
        self._cameras: dict[str, str] = {}
        for camera, names in called.items():
            for name in (camera, *names):
                holder = self._cameras.setdefault(_folded(name), camera)
                if holder != camera:
                    raise ConfigError(
                        f"cameras.{camera}.ftp.names: {name!r} is what camera {holder} is called "
                        "already, but for capitals and blanks. Give each its own."
                    )

    def camera(self, path: str, names: NameReader) -> str:
        """The camera of a file; empty: none. First counts what a layout of the configuration takes
        for it; then the folder nearest to the file, the longest beginning of its name, and what any
        other layout says."""
        for name in (
            names.camera_by_own(path),
            *_folders(path),
            *_beginnings(path.rpartition("/")[2]),
            names.camera(path),
        ):
            if name and (camera := self._cameras.get(_folded(name))):
                return camera
        return ""


def _folders(path: str) -> list[str]:
    return path.split("/")[-2::-1]


def _beginnings(name: str) -> Iterator[str]:
    stem = name.rpartition(".")[0] or name
    ends = [found.start() for found in _END.finditer(stem)][:MOST_WORDS]
    yield stem
    for end in reversed(ends):
        yield stem[:end]


def _folded(name: str) -> str:
    return _BETWEEN.sub("_", name.casefold()).strip("_")
