"""The cameras as they are now: services follow changes of the configuration without a restart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from shared.events import ORGANISATION
from shared.settings.cameras import CameraSection

T = TypeVar("T")


class CameraDirectory(Mapping[str, CameraSection]):
    """The current settings of each camera by name. Any thread. Call ``now`` once where several
    look-ups must agree."""

    def __init__(self, cameras: Mapping[str, CameraSection]) -> None:
        self._now: Mapping[str, CameraSection] = dict(cameras)

    def now(self) -> Mapping[str, CameraSection]:
        """The current cameras; a new object after each change."""
        return self._now

    def replace(self, cameras: Mapping[str, CameraSection]) -> list[str]:
        """Put these cameras in force; returns the names of those added, changed or removed."""
        before, after = self._now, dict(cameras)
        changed = [n for n in {*before, *after} if before.get(n) != after.get(n)]
        if changed:
            self._now = after
        return sorted(changed)

    def organisation(self, camera: str) -> str:
        """The organisation of a camera."""
        section = self._now.get(camera)
        return section.organisation if section else ORGANISATION

    def device(self, camera: str) -> Mapping[str, str]:
        """What the house calls a camera: fields of events about it; none for one not configured."""
        section = self._now.get(camera)
        if section is None:
            return {}
        device = {"device_type": section.device_type, "device_key": section.device_key(camera)}
        return {"location": section.place, **device} if section.place else device

    def __getitem__(self, name: str) -> CameraSection:
        return self._now[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now)

    def __len__(self) -> int:
        return len(self._now)


class Derived(Generic[T]):
    """A value made from the cameras, and made again at the first call after they changed. Any
    thread. ``make`` gets the cameras and its last value (None at first)."""

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
