"""Wires the camera service: the cameras that can be asked, and the handler of requests."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from urllib.parse import quote

from pydantic import SecretStr

from services.camera.brands import adapter_for
from services.camera.camera import Camera
from services.camera.fetch import FetchSnapshots
from shared.events import SnapshotRequested
from shared.service import Context, Service
from shared.settings.cameras import CameraSection, FetchSection
from shared.settings.directory import Derived

log = logging.getLogger(__name__)

LEAST_WORKERS, MOST_WORKERS = 4, 256


def build(context: Context) -> Service:
    """The camera service of this configuration."""
    cameras = Derived(context.cameras, askable)
    handler = FetchSnapshots(cameras, context.cameras, context.intake)
    return Service(
        name="camera",
        handlers={SnapshotRequested.topic: handler},
        workers=workers_for(len(cameras())),
        about=handler.about,
    )


def askable(
    sections: Mapping[str, CameraSection], before: Mapping[str, Camera] | None
) -> Mapping[str, Camera]:
    """The cameras that can be asked. One whose settings did not change stays the one it was, with
    what is known of it and who asks it just now."""
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
    return cameras


def workers_for(cameras: int) -> int:
    """One worker per camera, so that dead cameras delay no other; two for requests put back.

    A worker is a thread that waits for its camera. Above the limit, as many dead cameras as there
    are workers delay the rest by their ``timeout_s``; so do cameras that were added after the
    start, until the next one.
    """
    return max(LEAST_WORKERS, min(MOST_WORKERS, cameras + 2))


def accepts_any_certificate(fetch: FetchSection) -> bool:
    """Whether another machine could pass for this camera; said in the log and in its state."""
    return fetch.url.startswith("https:") and not fetch.verify_tls


def camera_of(name: str, fetch: FetchSection) -> Camera:
    """The camera that a ``fetch`` section describes."""
    return Camera(
        name,
        adapter_for(fetch),
        attempts=fetch.attempts,
        timeout_s=fetch.timeout_s,
        mask=masker(fetch.password),
        any_certificate=accepts_any_certificate(fetch),
        settings=fetch,
    )


def masker(secret: SecretStr) -> Callable[[str], str]:
    """A function that takes the password out of a text: a camera's error page may repeat it."""
    value = secret.get_secret_value()
    forms = {value, quote(value, safe=""), quote(value)} if value else set()

    def mask(text: str) -> str:
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, "•••")
        return text

    return mask
