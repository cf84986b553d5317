"""The cameras as they are now: services follow changes of the configuration without a restart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from shared.events import ORGANISATION
from shared.settings.cameras import CameraSection

T = TypeVar("T")


class CameraDirectory(Mapping[str, CameraSection]):
    """The settings of each camera by its name. Any thread. It changes as a whole: look at ``now``
    once where several questions need the same answer."""

    def __init__(self, cameras: Mapping[str, CameraSection]) -> None:
        self._now: Mapping[str, CameraSection] = dict(cameras)

    def now(self) -> Mapping[str, CameraSection]:
        """The cameras of this moment; another object after each change."""
        return self._now

    def replace(self, cameras: Mapping[str, CameraSection]) -> list[str]:
        """These are the cameras from now on; returns the names of those that changed, came or
        went."""
        before, after = self._now, dict(cameras)
        changed = [n for n in {*before, *after} if before.get(n) != after.get(n)]
        if changed:
            self._now = after
        return sorted(changed)

    def organisation(self, camera: str) -> str:
        """Whose camera it is."""
        section = self._now.get(camera)
        return section.organisation if section else ORGANISATION

    def __getitem__(self, name: str) -> CameraSection:
        return self._now[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now)

    def __len__(self) -> int:
        return len(self._now)


class Derived(Generic[T]):
    """What a service makes of the cameras, made anew at the first look after they changed. Any
    thread. ``make`` gets the cameras, and what it made of them before (None at first)."""

    def __init__(
        self,
        directory: CameraDirectory,
        make: Callable[[Mapping[str, CameraSection], T | None], T],
    ) -> None:
        self._directory = directory
        self._make = make
        self._lock = threading.Lock()
        self._of = directory.now()
        self._made = make(self._of, None)

    def __call__(self) -> T:
        cameras = self._directory.now()
        if cameras is not self._of:
            with self._lock:
                if cameras is not self._of:
                    self._made, self._of = self._make(cameras, self._made), cameras
        return self._made
