"""The state of the whole: which parts are up, what is stuck, how much is there."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from services.api.views import Cameras
from shared.events import now
from shared.journal.queries.snapshots import Reader, ServiceStatus
from shared.settings import Settings
from shared.store import Store

UP_WITHIN = timedelta(seconds=30)
"""A part that has said nothing for longer is down."""
FORGOTTEN_AFTER = timedelta(days=1)
REMEMBER_S = 2.0
REST = 20
"""A question is not asked again before so many times as long as it took, whoever asks."""

T = TypeVar("T")


class PartView(BaseModel):
    """One running copy of a service, or one that should run."""

    service: str
    instance: str
    up: bool
    ok: bool
    summary: str
    since: datetime | None
    seen_at: datetime | None
    about: dict[str, Any]


class LagView(BaseModel):
    """What waits. Ages in seconds, 0 when nothing waits."""

    unpublished: int
    oldest_unpublished_s: float
    unfinished: int
    oldest_unfinished_s: float
    dead: int
    stuck_after_s: float


class Space(BaseModel):
    """The volume of the picture store, in bytes."""

    free: int
    total: int


class HealthView(BaseModel):
    """``status``: ok, degraded (something needs a look), or stuck (work does not move)."""

    status: str
    problems: list[str]
    version: str
    started_at: datetime
    parts: list[PartView]
    lag: LagView
    space: Space | None
    snapshots: dict[str, int]


class Remembered(Generic[T]):
    """An answer that many ask for and that may be a moment old. Any thread."""

    def __init__(self, ask: Callable[[], T], seconds: float = REMEMBER_S) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = threading.Lock()
        self._answer: tuple[float, T] | None = None

    def __call__(self) -> T:
        with self._lock:
            began = time.monotonic()
            if self._answer is None or began > self._answer[0]:
                answer = self._ask()
                ended = time.monotonic()
                until = ended + max(self._seconds, REST * (ended - began))
                self._answer = (until, answer)
            return self._answer[1]


class State:
    """Answers how everything is. Any thread; raises JournalUnavailable."""

    def __init__(
        self, settings: Settings, cameras: Cameras, read: Reader, store: Store, version: str
    ) -> None:
        self._settings = settings
        self._cameras = cameras
        self._read = read
        self._store = store
        self.version = version
        self.started_at = now()
        self.counts = Remembered(read.counts)

    def health(self) -> HealthView:
        """Everything, with its problems in words."""
        statuses = self.statuses()
        stuck_s = self._settings.health.stuck_s
        lag = LagView.model_validate({**_slots(self._read.lag()), "stuck_after_s": stuck_s})
        space = self.space()
        stuck = [
            f"{count} {what} for longer than {stuck_s:.0f} s"
            for count, age, what in (
                (lag.unpublished, lag.oldest_unpublished_s, "events not published"),
                (lag.unfinished, lag.oldest_unfinished_s, "snapshots not finished"),
            )
            if age > stuck_s
        ]
        problems = stuck + self._problems(statuses, lag, space)
        totals: dict[str, int] = {}
        for of_camera in self.counts().values():
            for state, count in of_camera.items():
                totals[state] = totals.get(state, 0) + count
        return HealthView(
            status="stuck" if stuck else "degraded" if problems else "ok",
            problems=problems,
            version=self.version,
            started_at=self.started_at,
            parts=statuses,
            lag=lag,
            space=space,
            snapshots=totals,
        )

    def statuses(self) -> list[PartView]:
        """What runs, and what should run but was never seen."""
        present = now()
        rows = [
            row for row in self._read.service_status() if present - row.seen_at < FORGOTTEN_AFTER
        ]
        views = [_part(row, present) for row in rows]
        seen = {row.service for row in rows}
        views += [
            PartView(
                service=name, instance="", up=False, ok=False, summary="never seen running",
                since=None, seen_at=None, about={},
            )
            for name in self._expected() if name not in seen
        ]  # fmt: skip
        # A copy that is gone does not count when another one of its service is up.
        up = {view.service for view in views if view.up}
        return sorted(
            (view for view in views if view.up or view.service not in up),
            key=lambda view: (view.service, view.instance),
        )

    def space(self) -> Space | None:
        """Room on the volume of the store; None when it is not there."""
        try:
            usage = shutil.disk_usage(self._store.root)
        except OSError:
            return None
        return Space(free=usage.free, total=usage.total)

    def _expected(self) -> list[str]:
        """Also those that are switched off: they answer what others wait for."""
        expected = ["api", "camera", "detector", "drive", "scheduler"]
        expected += [f"drive-{name}" for name in self._settings.archives]
        if self._settings.ftp.enabled:
            expected.append("ftp")
        if any(each.folder for each in self._cameras.values()):
            expected.append("folder")
        return expected

    def _problems(self, statuses: list[PartView], lag: LagView, space: Space | None) -> list[str]:
        found = []
        for part in statuses:
            if not part.up:
                found.append(f"{part.service} is down: {part.summary}")
            elif not part.ok:
                found.append(f"{part.service}: {part.summary or 'not well'}")
        if lag.dead:
            what = "1 piece of work was" if lag.dead == 1 else f"{lag.dead} pieces of work were"
            found.append(f"{what} given up; try again when the cause is mended")
        reserve = self._settings.intake.reserve_fraction
        if space is None:
            found.append("the volume of the picture store is not there")
        elif space.free < space.total * reserve:
            found.append("the disk is too full to take pictures")
        elif space.free < space.total * min(1.0, reserve * 1.5):
            found.append("the disk is nearly too full to take pictures")
        return found


def _part(row: ServiceStatus, present: datetime) -> PartView:
    return PartView(
        service=row.service,
        instance=row.instance,
        up=present - row.seen_at < UP_WITHIN,
        ok=bool(row.about.get("ok", True)),
        summary=str(row.about.get("summary", "")),
        since=row.started_at,
        seen_at=row.seen_at,
        about=row.about,
    )


def _slots(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}
