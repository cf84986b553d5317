"""The handler: captures the picture that a request asks for, or says why there is none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from services.camera.camera import Camera, CaptureFailed, HungUp, NoTurn
from services.camera.failures import TurnsTaken
from services.camera.turns import Turns
from shared.errors import Reject, Retry
from shared.events import CameraFailed, Event, SnapshotRequested, SnapshotShared, Trigger, now
from shared.ingest.intake import Arrival, Intake

TRIGGERS: Mapping[str, Trigger] = {"interval": "timer", "manual": "manual"}
"""Why a picture was taken, by the reason for which it was asked; one we don't know says nothing."""
BUSY_WAIT_S = 0.5
"""How long a request waits for a camera that another one holds, before it is put back. One waits at
a time, because there are hardly more workers than cameras."""
BUSY_RETRY_S = 1.0
FRESH_S = 30.0
"""An older answer of the camera answers no further request, whatever the clock of its sender."""


class FetchSnapshots:
    """Captures a picture for each ``snapshot.requested``. ``cameras`` gives those that can be asked
    now; ``configured`` are the names of all; ``turns`` are for those that are down."""

    def __init__(
        self,
        cameras: Callable[[], Mapping[str, Camera]],
        configured: Collection[str],
        intake: Intake,
        turns: Turns,
    ) -> None:
        self._cameras = cameras
        self._configured = configured
        self._intake = intake
        self._turns = turns
        self._may_wait = threading.Lock()

    def __call__(self, event: Event) -> Sequence[Event]:
        """Ask the camera and take its picture in; repeating it makes no second snapshot.

        The intake announces the picture, so what is returned is a failure, or that the picture of
        another request answers this one.
        """
        request = event.parsed(SnapshotRequested)
        camera = self._cameras().get(request.camera)
        if camera is None:
            raise Reject(self._why_not(request.camera))
        if request.expires_at and now() >= request.expires_at:
            return [_failed(event, request, f"expired at {request.expires_at.isoformat()}", 0)]
        with self._reserved(camera) as acquired:
            if not acquired:
                raise Retry(
                    f"camera {request.camera} is answering another request",
                    after_s=camera.timeout_s / 2 if camera.down else BUSY_RETRY_S,
                )
            return self._shared(event, request, camera) or self._capture(event, request, camera)

    def _shared(self, event: Event, request: SnapshotRequested, camera: Camera) -> Sequence[Event]:
        """The answer of another request, if the camera was asked for it after this one was made."""
        latest = camera.latest
        if latest is None or latest.request == event.id:
            return []
        if latest.began < max(event.time, now() - timedelta(seconds=FRESH_S)):
            return []
        if self._intake.has(_arrival(event, request)):
            return []  # answered by its own picture, before the process that took it ended
        if latest.reason:
            return [_failed(event, request, latest.reason, 0)]
        said = SnapshotShared(camera=request.camera)
        return [said.event(subject=request.camera, cause=event, snapshot_id=latest.snapshot_id)]

    @contextmanager
    def _reserved(self, camera: Camera) -> Iterator[bool]:
        with ExitStack() as held:
            acquired = held.enter_context(camera.reserved(0.0))
            if not acquired and not camera.down and self._may_wait.acquire(blocking=False):
                try:
                    acquired = held.enter_context(camera.reserved(BUSY_WAIT_S))
                finally:
                    self._may_wait.release()
            yield acquired

    def _capture(self, event: Event, request: SnapshotRequested, camera: Camera) -> Sequence[Event]:
        arrival = partial(_arrival, event, request)
        try:
            camera.capture(self._intake, arrival, request, request=event.id, turns=self._turns)
        except CaptureFailed as error:
            return [_failed(event, request, str(error), error.attempts)]
        except (HungUp, TurnsTaken) as error:
            raise Retry(str(error), after_s=BUSY_RETRY_S) from None
        except NoTurn as error:
            if request.reason != "interval":
                raise Retry(str(error), after_s=BUSY_RETRY_S) from None
            return [_failed(event, request, f"not asked: {error}", 0)]
        return []

    def _why_not(self, camera: str) -> str:
        if camera in self._configured:
            return f"camera {camera!r} can't be asked: give it a 'fetch' section under 'cameras'"
        names = ", ".join(sorted(self._cameras())) or "none"
        return f"no camera is called {camera!r}; those that can be asked: {names}"

    def about(self) -> Mapping[str, Any]:
        """The state of each camera, for health and the page."""
        cameras = {name: camera.about() for name, camera in self._cameras().items()}
        down = sorted(name for name, state in cameras.items() if not state["ok"])
        summary = f"{len(cameras) - len(down)} of {len(cameras)} cameras answer"
        if down:
            summary += f"; not: {', '.join(down)}"
        return {"ok": not down, "summary": summary, "cameras": cameras}


def _arrival(event: Event, request: SnapshotRequested, name: str = "") -> Arrival:
    return Arrival(
        camera=request.camera,
        door="fetch",
        name=name,
        key=event.id,
        cause=event,
        trigger=TRIGGERS.get(request.reason, ""),
    )


def _failed(event: Event, request: SnapshotRequested, reason: str, attempts: int) -> Event:
    said = CameraFailed(camera=request.camera, reason=reason, attempts=attempts)
    return said.event(subject=request.camera, cause=event)
