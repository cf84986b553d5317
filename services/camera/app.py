"""Wires the camera service: the cameras that can be asked, and the handler of requests."""

from __future__ import annotations

import logging
from collections.abc import Callable
from urllib.parse import quote

from pydantic import SecretStr

from services.camera.brands import adapter_for
from services.camera.camera import Camera
from services.camera.fetch import FetchSnapshots
from shared.events import SnapshotRequested
from shared.service import Context, Service
from shared.settings.cameras import FetchSection

log = logging.getLogger(__name__)

LEAST_WORKERS, MOST_WORKERS = 4, 256


def build(context: Context) -> Service:
    """The camera service of this configuration."""
    sections = {
        name: camera.fetch for name, camera in context.settings.cameras.items() if camera.fetch
    }
    for name, fetch in sections.items():
        if accepts_any_certificate(fetch):
            log.warning(
                "camera %s: any certificate is accepted, as 'verify_tls: false' says",
                name,
                extra={"action": "tls_unverified", "camera": name},
            )
    cameras = {name: camera_of(name, fetch) for name, fetch in sections.items()}
    handler = FetchSnapshots(cameras, context.settings.cameras.keys(), context.intake)
    return Service(
        name="camera",
        handlers={SnapshotRequested.topic: handler},
        workers=workers_for(len(cameras)),
        about=handler.about,
    )


def workers_for(cameras: int) -> int:
    """One worker per camera, so that dead cameras delay no other; two for requests put back.

    A worker is a thread that waits for its camera. Above the limit, as many dead cameras as there
    are workers delay the rest by their ``timeout_s``.
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
