"""Requests a picture of each camera at its interval."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from shared.errors import JournalUnavailable
from shared.events import Event, SnapshotRequested, now
from shared.failpoint import reach
from shared.service import Context
from shared.settings.cameras import CameraSection
from shared.settings.directory import Derived

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 1.0
CLOCK_SKEW = timedelta(minutes=1)
"""The clocks of several machines may differ by this; a larger difference means that one was put
back."""
EXPIRY_INTERVALS = 2.0
"""A request expires after this many intervals."""


class Intervals:
    """A source. Time is divided into slots of the camera's interval since 1970. The slot fixes the
    event's id, so any number of schedulers, started at any time, make one request per slot. A slot
    that comes again because the clock was put back counts as another one."""

    name = "intervals"

    def __init__(self, context: Context, clock: Callable[[], datetime] = now) -> None:
        self._context = context
        self._clock = clock
        self._every = Derived(context.cameras, _intervals)
        self._asked: dict[str, int] = {}

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(self.ask()):
            pass

    def ask(self) -> float:
        """Request a picture of every camera whose slot has begun; returns the seconds to wait."""
        wait_s = LONGEST_WAIT_S
        for camera, every_s in self._every().items():
            moment = self._clock().timestamp()
            slot = math.floor(moment / every_s)
            if self._asked.get(camera) != slot and self._request(camera, slot, every_s):
                self._asked[camera] = slot
            wait_s = min(wait_s, (slot + 1) * every_s - moment)
        return max(0.01, wait_s)

    def summary(self) -> str:
        """What it does, for people."""
        every = self._every()
        if not every:
            return "no camera has an interval; unfinished work is looked after"
        asked = ", ".join(f"{name} every {every_s:g} s" for name, every_s in every.items())
        return f"asks {asked}"

    def _request(self, camera: str, slot: int, every_s: float) -> bool:
        try:
            again_after = ""
            while True:
                event = request(camera, slot, every_s, again_after)
                reach("scheduler.before_request")
                fresh = self._context.record([event])
                reach("scheduler.requested")
                if fresh:
                    return True
                # Another scheduler made it; or this slot was here before, when the clock was ahead.
                ends = datetime.fromtimestamp((slot + 1) * every_s, UTC)
                again_after = self._context.journal.read.ahead(event.id, ends + CLOCK_SKEW)
                if not again_after:
                    return True
        except JournalUnavailable as error:
            log.warning("%s is not asked for a picture: %s", camera, error)
            return False


def _intervals(cameras: Mapping[str, CameraSection], _before: object) -> Mapping[str, float]:
    """Seconds by camera."""
    return {
        name: camera.fetch.every_s
        for name, camera in cameras.items()
        if camera.fetch and camera.fetch.every_s
    }


def request(camera: str, slot: int, every_s: float, again_after: str = "") -> Event:
    """The request of a slot. ``again_after`` is the id of the request made in the same slot before
    the clock was put back."""
    begins = datetime.fromtimestamp(slot * every_s, UTC)
    expires_at = begins + timedelta(seconds=max(10.0, every_s * EXPIRY_INTERVALS))
    data = SnapshotRequested(
        camera=camera, reason="interval", requested_by="scheduler", expires_at=expires_at
    )
    cause = f"interval {camera} {every_s:g} {slot} {again_after}".rstrip()
    return data.event(subject=camera, cause=cause, time=begins)
