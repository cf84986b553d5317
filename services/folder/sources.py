"""The watched folders, each with a thread of its own; they come and go with the configuration."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from services.folder.watch import FolderSource
from services.folder.watched import WatchedFolder, folder_of, watched_of
from shared.settings.directory import CameraDirectory

LOOK_S = 1.0
STOP_S = 5.0


class FolderSources:
    """A source: a FolderSource for each watched folder. Raises ConfigError if two overlap."""

    name = "folders"

    def __init__(
        self, cameras: CameraDirectory, make: Callable[[WatchedFolder], FolderSource]
    ) -> None:
        self._cameras = cameras
        self._make = make
        self._running: dict[WatchedFolder, _Running] = {}
        self._planned = {each: make(each) for each in watched_of(cameras.now())}

    def now(self) -> list[FolderSource]:
        """The sources of the folders that are watched now. Any thread."""
        return list(self._planned.values())

    def of(self, camera: str) -> WatchedFolder | None:
        """The watched folder of a camera, as it is now. Any thread."""
        section = self._cameras.now().get(camera)
        return folder_of(camera, section) if section else None

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
