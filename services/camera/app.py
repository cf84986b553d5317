"""Wires the camera service: the cameras that can be asked, and the handler of requests."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping

from services.camera.again import AskAgain
from services.camera.brands import adapter_for
from services.camera.camera import Camera
from services.camera.ending import Ending
from services.camera.fetch import FetchSnapshots
from services.camera.turns import Turns
from shared.events import SnapshotRejected, SnapshotRequested
from shared.service import Context, Service
from shared.settings.cameras import CameraSection
from shared.settings.directory import Derived
from shared.settings.fetch import FetchSection

log = logging.getLogger(__name__)

LEAST_WORKERS, MOST_WORKERS = 4, 256
LEAVE_S = 4.0


def build(context: Context) -> Service:
    """The camera service of this configuration."""
    cameras = Derived(context.cameras, askable)
    workers = workers_for(len(cameras()))
    turns = Turns(workers // 2)
    handler = FetchSnapshots(cameras, context.cameras, context.intake, turns)
    return Service(
        name="camera",
        handlers={
            SnapshotRequested.topic: handler,
            SnapshotRejected.topic: AskAgain(cameras, context.journal.read),
        },
        sources=(Ending(cameras),),
        workers=workers,
        about=handler.about,
        close=lambda: leave(cameras().values()),
    )


def askable(
    sections: Mapping[str, CameraSection], before: Mapping[str, Camera] | None
) -> Mapping[str, Camera]:
    """The cameras that can be asked. One with unchanged settings stays the same object, with its
    health and its reservation."""
    cameras = {}
    for name, section in sections.items():
        fetch, old = section.fetch, (before or {}).get(name)
        if fetch is None:
            continue
        if old and old.settings == fetch:
            cameras[name] = old
            continue
        cameras[name] = camera_of(name, fetch)
        if accepts_any_certificate(fetch):
            log.warning(
                "camera %s: any certificate is accepted, as 'verify_tls: false' says",
                name,
                extra={"action": "tls_unverified", "camera": name},
            )
    gone = [old for name, old in (before or {}).items() if cameras.get(name) is not old]
    if gone:
        threading.Thread(target=leave, args=(gone,), name="camera-leave", daemon=True).start()
    return cameras


def leave(cameras: Iterable[Camera]) -> None:
    """Close cameras that are asked no more, all at once and without waiting for the slow."""
    ends = [
        threading.Thread(target=each.close, name="camera-close", daemon=True) for each in cameras
    ]
    for end in ends:
        end.start()
    deadline = time.monotonic() + LEAVE_S
    for end in ends:
        end.join(max(0.0, deadline - time.monotonic()))


def workers_for(cameras: int) -> int:
    """One worker per camera, so that dead cameras delay no other, and two for requests put back.

    With fewer workers than cameras (above the limit, or with cameras added since the start),
    cameras that are down share half of the workers. Only those that stop to answer in the same
    moment can take more, once, and for their ``timeout_s``.
    """
    return max(LEAST_WORKERS, min(MOST_WORKERS, cameras + 2))


def accepts_any_certificate(fetch: FetchSection) -> bool:
    """Whether every TLS certificate is accepted for this camera."""
    return not fetch.verify_tls and not fetch.fingerprint and not fetch.url.startswith("http://")


def camera_of(name: str, fetch: FetchSection) -> Camera:
    """The camera that a ``fetch`` section describes."""
    return Camera(name, adapter_for(fetch), fetch, any_certificate=accepts_any_certificate(fetch))
