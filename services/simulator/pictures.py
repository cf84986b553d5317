"""What a simulated camera sees: the photographs of a folder by name, or a drawn scene."""

from __future__ import annotations

import threading
from pathlib import Path

from services.simulator.scenes import Scene
from services.simulator.shown import Shown
from shared.errors import ConfigError
from shared.events import now

SUFFIXES = frozenset({".jpg", ".jpeg"})


class Pictures:
    """The pictures of one camera. Any thread."""

    def __init__(self, camera: str, folder: Path | None = None, shown: Shown | None = None) -> None:
        """``shown`` remembers what was drawn."""
        self._camera = camera
        self._folder = folder
        self._remember = shown
        self._lock = threading.Lock()
        self._scene: Scene | None = None
        self._shown = 0

    def next(self) -> bytes:
        """The next JPEG. Raises ConfigError when the folder has none."""
        with self._lock:
            return self._drawn() if self._folder is None else self._photograph(self._folder)

    def _drawn(self) -> bytes:
        # Made at the first picture, since preparing a place takes a moment.
        self._scene = self._scene or Scene(self._camera)
        drawn = self._scene.at(now())
        if self._remember:
            self._remember.note(drawn)
        return drawn.jpeg()

    def _photograph(self, folder: Path) -> bytes:
        found = sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)
        if not found:
            raise ConfigError(f"simulator.pictures: no .jpg in {folder}. Put some there.")
        picture = found[self._shown % len(found)]
        self._shown += 1
        return picture.read_bytes()
