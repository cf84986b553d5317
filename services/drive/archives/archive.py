"""The interface of all archives: hold a picture, prove that it is held, and give it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from shared.errors import Retry
from shared.events import ORIGINAL
from shared.service import Source

MANIFEST = "manifest.jsonl"
"""File of each day's folder that lists the others; no archive tells it as one of them."""


def suffix_of(media_type: str) -> str:
    """How files of a picture's media type end."""
    return ".png" if media_type == "image/png" else ".jpg"


@dataclass(frozen=True, slots=True)
class Filing:
    """A picture to be filed. ``captured_at`` is in the time zone in which people look for it;
    ``source`` is a file of the bytes to be sent, ``sha256`` and ``size`` are theirs. ``kind`` says
    how they differ from the picture that was taken (see shared/events.py). ``at`` is a path to file
    it under instead of the usual one. ``labels`` are what people may search for, most first."""

    snapshot_id: str
    camera: str
    captured_at: datetime
    media_type: str
    sha256: str
    size: int
    source: Path
    kind: str = ORIGINAL
    suffix: str = ""
    at: str = ""
    labels: tuple[str, ...] = ()

    @property
    def folders(self) -> tuple[str, str, str]:
        """Year, month and day, zero-padded."""
        if self.at:
            year, month, day = self.at.split("/")[:3]
            return year, month, day
        taken = self.captured_at
        return f"{taken:%Y}", f"{taken:%m}", f"{taken:%d}"

    @property
    def title(self) -> str:
        """``<camera>_<time>_<id>.jpg``: sorts by camera and time, and no two are alike; ``suffix``
        tells copies of another kind apart, such as ``.jpg.age``."""
        if self.at:
            return self.at.split("/", 3)[3]
        suffix = self.suffix or suffix_of(self.media_type)
        return f"{self.camera}_{self.captured_at:%Y%m%d-%H%M%S}_{self.snapshot_id}{suffix}"

    @property
    def path(self) -> str:
        """``YYYY/MM/DD/<title>``, below the archive's own folder."""
        return "/".join((*self.folders, self.title))


@dataclass(frozen=True, slots=True)
class Filed:
    """Where an archive holds a picture: ``path`` is that of the filing, ``link`` opens it in a
    browser, ``key`` is what the archive calls it where that is not the path."""

    path: str
    link: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that an archive holds. ``sha256`` and ``md5`` are what the archive itself says of its
    content; empty: it does not say. ``starred``: its people want it to stay."""

    path: str
    size: int
    key: str = ""
    sha256: str = ""
    md5: str = ""
    starred: bool = False
    snapshot_id: str = ""


class NotThere(Retry):
    """The archive answers, and does not hold this file."""


class Archive(Protocol):
    """Where pictures are filed for people. ``name`` is that of the configuration, ``place`` where
    the archive is, such as the path of a folder. Any thread. All but ``about`` raise Unreachable
    while the archive is away, Retry for what fails with this file, Reject for what never works,
    such as reading with rights to write only."""

    name: str
    place: str

    def prepare(self, *, first: bool) -> None:
        """Make what filing needs. ``first`` is False if this place was prepared before: then what
        is missing is away, and is not made again. Raises OSError."""

    def file(self, filing: Filing) -> Filed:
        """Hold these bytes once under ``filing.path``, however often it is called; returns once
        the checksum of what the archive holds is confirmed. What is there with another checksum is
        replaced."""

    def days(self) -> Iterator[date]:
        """The days of which it holds files, oldest first."""

    def day(self, day: date) -> Iterator[Entry]:
        """Every file of this day's folder and those in it, in any order, without the manifest."""

    def read(self, entry: Entry) -> Iterator[bytes]:
        """The file's bytes in chunks of at most 1 MiB; ``path`` and ``key`` name it. Raises
        NotThere."""

    def hold(self, entry: Entry, *, on: bool) -> None:
        """Exempt the file from rules by which the archive itself removes or moves files, or end
        that; nothing, where there are no such rules."""

    def manifest(self, day: date) -> bytes:
        """This day's manifest; empty: there is none."""

    def write_manifest(self, day: date, data: bytes) -> None:
        """Replace this day's manifest as one step; once it returns, a power cut can't undo it."""

    def sources(self) -> Sequence[Source]:
        """What it does by itself, besides."""

    def about(self) -> Mapping[str, Any]:
        """State for health and the page: {"ok": bool, "summary": str}."""
