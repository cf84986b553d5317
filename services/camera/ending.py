"""The end of the service: cameras that are being asked have a moment, then they are hung up on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from services.camera.camera import Camera
from shared.stop import Stop

LAST_MOMENT_S = 3.0
LOOK_S = 0.05


class Ending:
    """A source that makes nothing: it waits for the end, and sees that no camera delays it."""

    name = "camera-ending"

    def __init__(self, cameras: Callable[[], Mapping[str, Camera]]) -> None:
        self._cameras = cameras

    def run(self, stop: Stop) -> None:
        stop.wait()
        last = time.monotonic() + LAST_MOMENT_S
        asked = list(self._cameras().values())
        while any(each.is_asked for each in asked) and time.monotonic() < last:
            time.sleep(LOOK_S)
        for each in asked:
            each.hang_up()
