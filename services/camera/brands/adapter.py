"""What every adapter does: ask one camera for one picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from shared.http.deadline import Deadline

SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})


@dataclass(frozen=True, slots=True)
class Still:
    """A picture being received: the ``name`` the camera gives it, and the bytes as they come;
    ``login``, how we were let in, and ``clock``, what time the camera said it was, if it did."""

    name: str
    chunks: Iterator[bytes]
    login: str = ""
    clock: datetime | None = None


class Adapter(Protocol):
    """Asks one camera. One thread at a time."""

    def open(self, deadline: Deadline) -> AbstractContextManager[Still]:
        """Begin to receive a picture. Raises CameraError, also from ``chunks``; TurnsTaken."""

    def close(self) -> None:
        """Give back what the camera keeps for us, such as a session; takes a few seconds at most.
        Raises nothing."""


def picture_name(url: str) -> str:
    """What the camera calls the picture at a URL; empty for a script, whose name says nothing."""
    name = urlsplit(url).path.rpartition("/")[2]
    return name if Path(name).suffix.lower() in SUFFIXES else ""
