"""A picture file as camera, or a folder whose pictures follow one another; for tests and trials."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.camera.brands.adapter import SUFFIXES, Adapter, Still
from services.camera.failures import CameraError, Misdirected, Unreachable
from shared.http.deadline import Deadline
from shared.settings.fetch import FetchSection

CHUNK_BYTES = 16_384


class FileAdapter:
    """A picture, or the pictures of a folder in turn, by name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._given = 0

    @contextmanager
    def open(self, deadline: Deadline) -> Iterator[Still]:
        path = self._next()
        try:
            with path.open("rb") as file:
                yield Still(path.name, iter(lambda: file.read(CHUNK_BYTES), b""))
        except CameraError:
            raise
        except OSError as error:
            raise Unreachable(f"{path} can't be read: {error.strerror}") from None

    def close(self) -> None:
        """Nothing is kept."""

    def _next(self) -> Path:
        if not self._path.is_dir():
            return self._path
        found = sorted(path for path in self._path.iterdir() if path.suffix.lower() in SUFFIXES)
        if not found:
            raise Misdirected(f"no picture (.jpg, .png) in {self._path}")
        path = found[self._given % len(found)]
        self._given += 1
        return path


def adapter(fetch: FetchSection) -> Adapter:
    """``path`` is a picture or a folder."""
    assert fetch.path is not None  # the settings see to it
    return FileAdapter(fetch.path)
