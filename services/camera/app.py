"""Wires the camera service: one line per camera that can be asked, and the handler of requests."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from services.camera.adapters import adapter_for
from services.camera.camera import GaveUp, Line
from shared.errors import Reject, Retry, StoreError
from shared.events import CameraFailed, Event, SnapshotRequested, now
from shared.ingest.intake import Arrival, Intake
from shared.service import Context, Service
from shared.settings.cameras import FetchSection

log = logging.getLogger(__name__)

MAX_WORKERS = 32
PATIENCE_S = 0.5
"""How long a request waits for a camera that is answering another one, before it is put back."""


def build(context: Context) -> Service:
    """The camera service of this configuration."""
    asked = {
        name: camera.fetch for name, camera in context.settings.cameras.items() if camera.fetch
    }
    for name, fetch in asked.items():
        if accepts_any_certificate(fetch):
            log.warning(
                "camera %s: any certificate is accepted, as 'verify_tls: false' says",
                name,
                extra={"action": "tls_unverified", "camera": name},
            )
    lines = {name: line_to(name, fetch) for name, fetch in asked.items()}
    cameras = Cameras(asked, lines, context.settings.cameras.keys(), context.intake)
    return Service(
        name="camera",
        handlers={SnapshotRequested.topic: cameras.fetch},
        # One worker per camera, so that dead ones delay no other; two for requests put back.
        workers=max(4, min(MAX_WORKERS, len(asked) + 2)),
        about=cameras.about,
    )


def accepts_any_certificate(fetch: FetchSection) -> bool:
    """Whether this camera could be another; told in the log and in the state of the camera."""
    return fetch.url.startswith("https:") and not fetch.verify_tls


def line_to(name: str, fetch: FetchSection) -> Line:
    """The line to one camera, as its ``fetch`` section says."""
    return Line(
        name,
        adapter_for(fetch),
        attempts=fetch.attempts,
        timeout_s=fetch.timeout_s,
        mask=masker(fetch.password),
    )


def masker(secret: SecretStr) -> Callable[[str], str]:
    """Takes a password out of a text, in case a camera's error page repeats it."""
    value = secret.get_secret_value()
    forms = {value, quote(value, safe=""), quote(value)} if value else set()

    def mask(text: str) -> str:
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, "•••")
        return text

    return mask


class Cameras:
    """The cameras that can be asked, and what is done with a request for a picture of one."""

    def __init__(
        self,
        sections: Mapping[str, FetchSection],
        lines: Mapping[str, Line],
        known: Collection[str],
        intake: Intake,
    ) -> None:
        self._sections = sections
        self._lines = lines
        self._known = known
        self._intake = intake

    def fetch(self, event: Event) -> Sequence[Event]:
        """Ask the camera and take its picture in; repeating it makes no second snapshot.

        The intake announces the picture, so nothing is returned but a failure.
        """
        request = event.parsed(SnapshotRequested)
        line = self._lines.get(request.camera)
        if line is None:
            raise Reject(self._no_line(request.camera))
        if request.expires_at and now() >= request.expires_at:
            return [_failed(event, request, f"expired at {request.expires_at.isoformat()}", 0)]
        with line.turn(0.0 if line.down else PATIENCE_S) as ours:
            if not ours:
                raise Retry(
                    f"camera {request.camera} is answering another request",
                    after_s=self._sections[request.camera].timeout_s / 2 if line.down else 1.0,
                )
            return self._take(event, request, line)

    def _take(self, event: Event, request: SnapshotRequested, line: Line) -> Sequence[Event]:
        def arrival(name: str) -> Arrival:
            return Arrival(
                camera=request.camera, door="fetch", name=name, key=event.id, cause=event
            )

        try:
            line.picture(
                self._intake,
                arrival,
                by_hand=request.reason == "manual",
                until=request.expires_at,
            )
        except GaveUp as error:
            return [_failed(event, request, str(error), error.attempts)]
        except StoreError as error:
            raise Retry(f"the picture can't be kept now: {error}") from error
        return []

    def _no_line(self, camera: str) -> str:
        if camera in self._known:
            return f"camera {camera!r} can't be asked: give it a 'fetch' section under 'cameras'"
        names = ", ".join(sorted(self._lines)) or "none"
        return f"no camera is called {camera!r}; those that can be asked: {names}"

    def about(self) -> Mapping[str, Any]:
        """The state of each camera, for health and the page."""
        cameras = {
            name: {
                **line.about(),
                "any_certificate": accepts_any_certificate(self._sections[name]),
            }
            for name, line in self._lines.items()
        }
        down = sorted(name for name, state in cameras.items() if not state["ok"])
        summary = f"{len(cameras) - len(down)} of {len(cameras)} cameras answer"
        if down:
            summary += f"; not: {', '.join(down)}"
        return {"ok": not down, "summary": summary, "cameras": cameras}


def _failed(event: Event, request: SnapshotRequested, reason: str, attempts: int) -> Event:
    said = CameraFailed(camera=request.camera, reason=reason, attempts=attempts)
    return said.event(subject=request.camera, cause=event)
