"""How a camera has been doing, told to the log when it changes, and to health and the page."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from typing import Any

from services.camera.facts import Facts
from services.camera.words import seen
from shared.backoff import pause_s
from shared.events import now

log = logging.getLogger(__name__)

FROZEN_AFTER = 20
"""This many equal pictures in a row mean that the camera hangs; they are kept all the same."""
FIRST_REST_S = 4.0
LONGEST_REST_S = 30.0


class Health:
    """One camera's; written by the thread that has it reserved."""

    def __init__(self, camera: str) -> None:
        self._camera = camera
        self.failures_in_a_row = 0
        self.last_error = ""
        self.facts: Facts | None = None
        self._last_error_at: datetime | None = None
        self._last_ok: datetime | None = None
        self._pictures = 0
        self._failures = 0
        self._repeats = 0
        self._checksum: int | None = None
        self._requests_in_a_row = 0
        self._rests_until = float("-inf")

    @property
    def down(self) -> bool:
        """Whether the last attempt failed."""
        return self.failures_in_a_row > 0

    @property
    def rest_s(self) -> float:
        """Seconds for which its interval is not to ask it again."""
        return max(0.0, self._rests_until - time.monotonic())

    def succeeded(self, checksum: int, facts: Facts) -> None:
        """A picture was taken in."""
        if self.failures_in_a_row:
            log.info(
                "camera %s gives pictures again after %d failures",
                self._camera,
                self.failures_in_a_row,
                extra={"action": "camera_up", "camera": self._camera},
            )
        self._repeats = self._repeats + 1 if checksum == self._checksum else 0
        if self._repeats == FROZEN_AFTER:
            log.warning(
                "camera %s sends the same picture again and again",
                self._camera,
                extra={"action": "camera_frozen", "camera": self._camera},
            )
        self._checksum, self._last_ok, self.facts = checksum, now(), facts
        self.failures_in_a_row = self._requests_in_a_row = 0
        self._rests_until = float("-inf")
        self._pictures += 1

    def failed(self, reason: str) -> None:
        """An attempt gave no picture."""
        if not self.failures_in_a_row:
            log.warning(
                "camera %s gives no picture: %s",
                self._camera,
                reason,
                extra={"action": "camera_down", "camera": self._camera},
            )
        self.failures_in_a_row += 1
        self._failures += 1
        self.last_error, self._last_error_at = reason, now()

    def gave_up(self) -> None:
        """A request ended without a picture; from the second on, the camera rests."""
        self._requests_in_a_row += 1
        if self._requests_in_a_row > 1:
            rest_s = pause_s(self._requests_in_a_row - 1, FIRST_REST_S, LONGEST_REST_S)
            self._rests_until = time.monotonic() + rest_s

    def about(self) -> dict[str, Any]:
        """For health and the page."""
        facts = self.facts
        return {
            "ok": not self.failures_in_a_row,
            "pictures": self._pictures,
            "failures": self._failures,
            "failures_in_a_row": self.failures_in_a_row,
            "frozen": self._repeats >= FROZEN_AFTER,
            "last_ok": self._last_ok.isoformat() if self._last_ok else None,
            "last_error": self.last_error,
            "last_error_at": self._last_error_at.isoformat() if self._last_error_at else None,
            "seen": seen(facts) if facts else "",
        }
