"""The interface of all archives: hold a picture, and prove that it is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Filing:
    """A picture to be filed. ``captured_at`` is in the time zone in which people look for it;
    ``source`` is its file in the store."""

    snapshot_id: str
    camera: str
    captured_at: datetime
    media_type: str
    sha256: str
    size: int
    source: Path

    @property
    def folders(self) -> tuple[str, str, str]:
        """Year, month and day, zero-padded."""
        taken = self.captured_at
        return f"{taken:%Y}", f"{taken:%m}", f"{taken:%d}"

    @property
    def title(self) -> str:
        """``<camera>_<time>_<id>.jpg``: sorts by camera and time, and no two are alike."""
        suffix = ".png" if self.media_type == "image/png" else ".jpg"
        return f"{self.camera}_{self.captured_at:%Y%m%d-%H%M%S}_{self.snapshot_id}{suffix}"


class Archive(Protocol):
    """Where pictures are filed for people. ``name`` is that of the configuration, ``place`` where
    the archive is, such as the path of a folder. Any thread."""

    name: str
    place: str

    def prepare(self, *, first: bool) -> None:
        """Make what filing needs. ``first`` is False if this place was prepared before: then what
        is missing is away, and is not made again. Raises OSError."""

    def file(self, filing: Filing) -> str:
        """Hold this picture once, however often it is called; returns its path for people once the
        checksum of what the archive holds is confirmed. Raises Unreachable while the archive is
        away, Retry for what fails with this picture, Reject for what can never be filed."""

    def about(self) -> Mapping[str, Any]:
        """State for health and the page: {"ok": bool, "summary": str}."""
