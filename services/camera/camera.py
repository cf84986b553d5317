"""One camera that can be asked: one capture at a time, retries with pauses, and its health.

A camera that failed last time gets one attempt per request instead of several. One that refused our
password gets none for ten minutes, because many lock the account after five; a manual request is
let through.
"""

from __future__ import annotations

import logging
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.camera.brands.adapter import Adapter
from services.camera.failures import CameraError, CredentialsRefused, WrongAnswer
from services.camera.still import one_picture
from shared.backoff import pause_s
from shared.errors import PictureError, SnapbusError
from shared.events import now
from shared.failpoint import reach
from shared.http.deadline import Deadline
from shared.ingest.intake import Arrival, Intake
from shared.settings.cameras import FetchSection

log = logging.getLogger(__name__)

LOCKOUT_S = 600.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
FROZEN_AFTER = 20
"""This many equal pictures in a row mean that the camera hangs; they are kept all the same."""


class CaptureFailed(SnapbusError):
    """No picture. ``attempts`` is how often the camera was really asked."""

    def __init__(self, reason: str, attempts: int) -> None:
        super().__init__(reason)
        self.attempts = attempts


@dataclass(slots=True)
class Health:
    """How a camera has been doing since the start."""

    pictures: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    repeats: int = 0
    last_ok: datetime | None = None
    last_error: str = ""
    last_error_at: datetime | None = None
    checksum: int | None = field(default=None, repr=False)


class Camera:
    """Captures pictures of one camera. Any thread, but only one at a time: see ``reserved``."""

    def __init__(
        self,
        name: str,
        adapter: Adapter,
        *,
        attempts: int,
        timeout_s: float,
        mask: Callable[[str], str],
        any_certificate: bool = False,
        settings: FetchSection | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """``settings`` is the section that describes it, to know when that has changed."""
        self._name = name
        self.settings = settings
        self._adapter = adapter
        self._attempts = attempts
        self.timeout_s = timeout_s
        self._mask = mask
        self._any_certificate = any_certificate
        self._pause = pause
        self._lock = threading.Lock()
        self._locked_out_until = float("-inf")
        self._health = Health()

    @contextmanager
    def reserved(self, wait_s: float) -> Iterator[bool]:
        """Reserve the camera for this thread; yields False if another had it for ``wait_s``."""
        acquired = self._lock.acquire(timeout=wait_s)
        try:
            yield acquired
        finally:
            if acquired:
                self._lock.release()

    @property
    def down(self) -> bool:
        """Whether the last attempt failed."""
        return self._health.failures_in_a_row > 0

    def capture(
        self,
        intake: Intake,
        arrival: Callable[[str], Arrival],
        *,
        manual: bool,
        expires_at: datetime | None,
    ) -> None:
        """Ask until the intake has a picture; ``arrival`` is called with the camera's name for it.

        Raises CaptureFailed. What the store and the journal raise passes through.
        """
        if time.monotonic() < self._locked_out_until and not manual:
            raise CaptureFailed(f"not asked, to spare the account: {self._health.last_error}", 0)
        attempts = self._attempts if manual or not self.down else 1
        for attempt in range(1, attempts + 1):
            try:
                self._attempt(intake, arrival)
            except CameraError as error:
                reason = self._failed(error)
                if not error.retryable or attempt == attempts or _expired(expires_at):
                    raise CaptureFailed(reason, attempt) from None
                self._pause(pause_s(attempt, FIRST_PAUSE_S, LONGEST_PAUSE_S))
            else:
                return

    def _attempt(self, intake: Intake, arrival: Callable[[str], Arrival]) -> None:
        part = intake.receive()
        checksum = 0
        try:
            with Deadline(self.timeout_s) as deadline, self._adapter.open(deadline) as still:
                for chunk in one_picture(still.chunks):
                    part.write(chunk)
                    checksum = zlib.crc32(chunk, checksum)
            reach("camera.fetched")
            intake.accept(part, arrival(still.name))
            reach("camera.accepted")
        except PictureError as error:
            part.discard()
            raise WrongAnswer(f"the camera's picture can't be taken: {error}") from None
        except BaseException:
            part.discard()
            raise
        self._succeeded(checksum)

    def _succeeded(self, checksum: int) -> None:
        health = self._health
        if health.failures_in_a_row:
            log.info(
                "camera %s gives pictures again after %d failures",
                self._name,
                health.failures_in_a_row,
                extra={"action": "camera_up", "camera": self._name},
            )
        health.repeats = health.repeats + 1 if checksum == health.checksum else 0
        if health.repeats == FROZEN_AFTER:
            log.warning(
                "camera %s sends the same picture again and again",
                self._name,
                extra={"action": "camera_frozen", "camera": self._name},
            )
        health.checksum, health.last_ok, health.failures_in_a_row = checksum, now(), 0
        health.pictures += 1
        self._locked_out_until = float("-inf")

    def _failed(self, error: CameraError) -> str:
        health, reason = self._health, self._mask(str(error))
        if not health.failures_in_a_row:
            log.warning(
                "camera %s gives no picture: %s",
                self._name,
                reason,
                extra={"action": "camera_down", "camera": self._name},
            )
        health.failures_in_a_row += 1
        health.failures += 1
        health.last_error, health.last_error_at = reason, now()
        if isinstance(error, CredentialsRefused):
            self._locked_out_until = time.monotonic() + LOCKOUT_S
        return reason

    def about(self) -> dict[str, Any]:
        """How the camera is doing, for health and the page."""
        health = self._health
        return {
            "ok": not health.failures_in_a_row,
            "pictures": health.pictures,
            "failures": health.failures,
            "failures_in_a_row": health.failures_in_a_row,
            "frozen": health.repeats >= FROZEN_AFTER,
            "last_ok": health.last_ok.isoformat() if health.last_ok else None,
            "last_error": health.last_error,
            "any_certificate": self._any_certificate,
            "last_error_at": health.last_error_at.isoformat() if health.last_error_at else None,
        }


def _expired(expires_at: datetime | None) -> bool:
    return expires_at is not None and now() >= expires_at
