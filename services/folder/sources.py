"""The watched folders, each with a thread of its own; they come and go with the configuration."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.folder.watch import FolderSource
from shared.errors import ConfigError
from shared.settings.cameras import CameraSection, FolderSection
from shared.settings.directory import CameraDirectory

LOOK_S = 1.0
STOP_S = 5.0


@dataclass(frozen=True)
class WatchedFolder:
    """A folder, whose it is, and how it is watched."""

    root: Path
    camera: str
    section: FolderSection


def watched_of(cameras: Mapping[str, CameraSection]) -> list[WatchedFolder]:
    """The watched folders. Raises ConfigError where two overlap."""
    watched: list[WatchedFolder] = []
    for name, camera in cameras.items():
        if camera.folder is None:
            continue
        root = camera.folder.path.resolve()
        for other in watched:
            if root.is_relative_to(other.root) or other.root.is_relative_to(root):
                raise ConfigError(
                    f"cameras.{name}.folder.path: {root} overlaps with the folder of camera "
                    f"{other.camera}. Give each camera a folder of its own."
                )
        watched.append(WatchedFolder(root, name, camera.folder))
    return watched


class FolderSources:
    """A source that runs one for each watched folder. Raises ConfigError where two overlap."""

    name = "folders"

    def __init__(
        self, cameras: CameraDirectory, make: Callable[[WatchedFolder], FolderSource]
    ) -> None:
        self._cameras = cameras
        self._make = make
        self._running: dict[WatchedFolder, _Running] = {}
        self._planned = {each: make(each) for each in watched_of(cameras.now())}

    def now(self) -> list[FolderSource]:
        """Those that are watched at this moment. Any thread."""
        return list(self._planned.values())

    def run(self, stop: threading.Event) -> None:
        """Watch until stopped; raises what ended one of them."""
        of = self._cameras.now()
        self._follow()
        while not stop.wait(LOOK_S):
            for each in self._running.values():
                if each.error:
                    raise each.error
            if self._cameras.now() is not of:
                of = self._cameras.now()
                wanted = watched_of(of)
                before = self._planned
                self._planned = {each: before.get(each) or self._make(each) for each in wanted}
                self._follow()
        self._end(list(self._running))

    def _follow(self) -> None:
        """Begin and end what changed."""
        self._end([each for each in self._running if each not in self._planned])
        for each, source in self._planned.items():
            if each not in self._running:
                self._running[each] = _Running(source)
                self._running[each].start()

    def _end(self, some: Sequence[WatchedFolder]) -> None:
        ending = [self._running.pop(each) for each in some]
        for running in ending:
            running.stop.set()
        for running in ending:
            running.join(STOP_S)


class _Running(threading.Thread):
    """One folder's thread."""

    def __init__(self, source: FolderSource) -> None:
        super().__init__(name=source.name, daemon=True)
        self._source = source
        self.stop = threading.Event()
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self._source.run(self.stop)
        except Exception as error:  # noqa: BLE001  told by the source that runs them all
            self.error = error
