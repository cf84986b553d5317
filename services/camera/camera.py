"""One camera that can be asked: one capture at a time, retries with pauses, rests after failures.

A camera that failed last time gets one attempt per request instead of several, and its interval
asks it less and less often. One that refused our password is not asked for ten minutes, because
many lock the account after five; a manual request is let through, but not more than one a minute.
"""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from services.camera.advice import advised
from services.camera.brands.adapter import Adapter
from services.camera.facts import Facts
from services.camera.failures import CameraError, CredentialsRefused, WrongAnswer
from services.camera.health import Health
from services.camera.still import one_picture
from services.camera.turns import Turns
from shared.backoff import pause_s
from shared.errors import PictureError, SnapbusError
from shared.events import SnapshotRequested, now
from shared.failpoint import reach
from shared.http.deadline import Deadline
from shared.ingest.intake import Accepted, Arrival, Intake
from shared.settings.fetch import FetchSection

LOCKOUT_S = 600.0
BY_HAND_S = 60.0
"""A refused password is tried again so much later, if a person asks for that."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0


class CaptureFailed(SnapbusError):
    """No picture. ``attempts`` is how often the camera was really asked."""

    def __init__(self, reason: str, attempts: int) -> None:
        super().__init__(reason)
        self.attempts = attempts


class NoTurn(SnapbusError):
    """So many cameras are down that this one, which is too, is not asked now."""


class HungUp(SnapbusError):
    """The service ends, so the camera is not asked; that says nothing of the camera."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the latest request that the camera was asked for: a snapshot or a reason."""

    began: datetime
    request: str
    snapshot_id: str = ""
    reason: str = ""


class Camera:
    """Captures pictures of one camera. Any thread, but only one at a time: see ``reserved``."""

    def __init__(
        self,
        name: str,
        adapter: Adapter,
        settings: FetchSection,
        *,
        any_certificate: bool = False,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self.settings = settings
        self.timeout_s = settings.timeout_s
        self._adapter = adapter
        self._any_certificate = any_certificate
        self._ended = threading.Event()
        self._pause = pause or self._ended.wait
        self._lock = threading.Lock()
        self._locked_out_until = float("-inf")
        self._by_hand_from = float("-inf")
        self._health = Health(name)
        self.latest: Outcome | None = None
        self._asking: Deadline | None = None

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
        return self._health.down

    @property
    def is_asked(self) -> bool:
        """Whether it is being asked now. Any thread."""
        return self._asking is not None

    def hang_up(self) -> None:
        """End what it is asked now, and ask it no more. Any thread."""
        self._ended.set()
        if asking := self._asking:
            asking.cut()

    def close(self) -> None:
        """Give back what the camera keeps for us, once nobody asks it any more."""
        with self._lock:
            self._adapter.close()

    def capture(
        self,
        intake: Intake,
        arrival: Callable[[str], Arrival],
        wanted: SnapshotRequested,
        *,
        request: str,
        turns: Turns,
    ) -> None:
        """Ask until the intake has a picture; ``arrival`` is called with the camera's name for it.
        ``request`` is the id of the request that wants it.

        Raises CaptureFailed, NoTurn, TurnsTaken, HungUp, and what the store and the journal raise.
        """
        self._check_rest(wanted)
        manual = wanted.reason == "manual"
        attempts = self.settings.attempts if manual or not self.down else 1
        for attempt in range(1, attempts + 1):
            began = now()
            with turns.taken(needed=self.down) as has_turn:
                self._check_end()
                if not has_turn and attempt > 1:
                    self._give_up(self._health.last_error, attempt - 1)
                if not has_turn:
                    raise NoTurn(f"too many cameras are down; {self._health.last_error}")
                try:
                    accepted = self._attempt(intake, arrival)
                except CameraError as error:
                    self._check_end()
                    reason = self._failed(error)
                    self.latest = Outcome(began, request, reason=reason)
                    if not error.retryable or attempt == attempts or _expired(wanted.expires_at):
                        self._give_up(reason, attempt)
                else:
                    self.latest = Outcome(began, request, snapshot_id=accepted.snapshot_id)
                    return
            self._pause(pause_s(attempt, FIRST_PAUSE_S, LONGEST_PAUSE_S))

    def _check_end(self) -> None:
        if self._ended.is_set():
            raise HungUp("the service ends, so no camera is asked") from None

    def _check_rest(self, wanted: SnapshotRequested) -> None:
        """Raises CaptureFailed while the camera is not to be asked."""
        refused_until = self._by_hand_from if wanted.reason == "manual" else self._locked_out_until
        if time.monotonic() < refused_until:
            raise CaptureFailed(f"not asked, to spare the account: {self._health.last_error}", 0)
        if wanted.reason == "interval" and self._health.rest_s:
            raise CaptureFailed(
                f"not asked for {self._health.rest_s:.0f} s more: {self._health.last_error}", 0
            )

    def _give_up(self, reason: str, attempts: int) -> NoReturn:
        self._health.gave_up()
        raise CaptureFailed(reason, attempts) from None

    def _attempt(self, intake: Intake, arrival: Callable[[str], Arrival]) -> Accepted:
        part = intake.receive()
        checksum = size = 0
        began = time.monotonic()
        try:
            with self._asked() as deadline, self._adapter.open(deadline) as still:
                ahead_s = (still.clock - now()).total_seconds() if still.clock else None
                for chunk in one_picture(still.chunks):
                    part.write(chunk)
                    checksum, size = zlib.crc32(chunk, checksum), size + len(chunk)
                seconds = time.monotonic() - began
            reach("camera.fetched")
            accepted = intake.accept(part, arrival(still.name))
            reach("camera.accepted")
        except PictureError as error:
            part.discard()
            raise WrongAnswer(f"the camera's picture can't be taken: {error}") from None
        except BaseException:
            part.discard()
            raise
        self._health.succeeded(checksum, Facts(still.login, size, seconds, ahead_s))
        self._locked_out_until = self._by_hand_from = float("-inf")
        return accepted

    @contextmanager
    def _asked(self) -> Iterator[Deadline]:
        with Deadline(self.timeout_s) as deadline:
            self._asking = deadline
            try:
                yield deadline
            finally:
                self._asking = None

    def _failed(self, error: CameraError) -> str:
        reason = advised(error, self.settings)
        self._health.failed(reason)
        if isinstance(error, CredentialsRefused):
            self._locked_out_until = time.monotonic() + LOCKOUT_S
            self._by_hand_from = time.monotonic() + BY_HAND_S
        return reason

    def about(self) -> dict[str, Any]:
        """How the camera is doing, for health and the page."""
        return {**self._health.about(), "any_certificate": self._any_certificate}


def _expired(expires_at: datetime | None) -> bool:
    return expires_at is not None and now() >= expires_at
