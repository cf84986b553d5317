"""The state of the whole system: what runs, what waits, how much is stored."""

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
from shared.journal.queries.snapshots import Reader
from shared.journal.queries.standing import ServiceStatus
from shared.journal.queries.view import View
from shared.settings import Settings
from shared.store import Store

UP_WITHIN = timedelta(seconds=30)
"""A part that has said nothing for longer is down."""
FORGOTTEN_AFTER = timedelta(days=1)
REMEMBER_S = 2.0
REST = 20
"""An answer is kept for so many times as long as it took."""

VIEWS = 64
"""Of so many views the counts are remembered."""
HIDDEN = {"summary": "", "about": {}, "instance": ""}

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
    """An answer kept for ``seconds``, or longer if it took long. Any thread."""

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
        self.cameras = cameras
        self._read = read
        self._store = store
        self.version = version
        self.started_at = now()
        self._counts: dict[View, Remembered[dict[str, dict[str, int]]]] = {}

    def counts(self, view: View) -> dict[str, dict[str, int]]:
        """How many snapshots of each camera are in which state."""
        if view not in self._counts:
            if len(self._counts) >= VIEWS:
                self._counts.clear()
            self._counts[view] = Remembered(self._read.within(view).counts)
        return self._counts[view]()

    def health(self, view: View) -> HealthView:
        """Everything, with its problems in words. Who sees a part only is not told what services
        say, which may be of other cameras, nor of the disk."""
        statuses = self.statuses()
        if not view.whole:
            statuses = [part.model_copy(update=HIDDEN) for part in statuses]
        stuck_s = self._settings.health.stuck_s
        lag = LagView.model_validate(
            {**_slots(self._read.within(view).lag()), "stuck_after_s": stuck_s}
        )
        space = self.space() if view.whole else None
        stuck = [
            f"{count} {what} for longer than {stuck_s:.0f} s"
            for count, age, what in (
                (lag.unpublished, lag.oldest_unpublished_s, "events not published"),
                (lag.unfinished, lag.oldest_unfinished_s, "snapshots not finished"),
            )
            if age > stuck_s
        ]
        problems = stuck + self._problems(statuses, lag)
        if view.whole:
            problems += self._of_disk(space)
        totals: dict[str, int] = {}
        for of_camera in self.counts(view).values():
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
        known = sorted(self._read.service_status(), key=lambda row: row.seen_at)
        rows = [row for row in known if present - row.seen_at < FORGOTTEN_AFTER]
        views = [_part(row, present) for row in rows]
        seen, expected = {row.service for row in rows}, self._expected()
        views += [
            PartView(
                service=name, instance="", up=False, ok=False, summary="never seen running",
                since=None, seen_at=None, about={},
            )
            for name in expected if name not in seen
        ]  # fmt: skip
        # Of copies that are gone the last one counts, while its service should run and none is up.
        missing = set(expected) - {view.service for view in views if view.up}
        last = {view.service: view for view in views if view.service in missing}
        return sorted(
            (view for view in views if view.up or last.get(view.service) is view),
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
        """The services that should run; detector, drive and scheduler even when switched off."""
        expected = ["api", "camera", "detector", "drive", "scheduler"]
        expected += [f"drive-{name}" for name in self._settings.archives]
        if self._settings.ftp.enabled:
            expected.append("ftp")
        if self._settings.mail.enabled and any(each.mail for each in self.cameras.values()):
            expected.append("mail")
        if any(each.folder for each in self.cameras.values()):
            expected.append("folder")
        if self._settings.legacy.enabled:
            expected.append("legacy")
        if self._settings.rekognition.enabled:
            expected.append("rekognition")
        if self._settings.broker.outside.get_secret_value():
            expected.append("outside")
        return expected

    def _problems(self, statuses: list[PartView], lag: LagView) -> list[str]:
        # Every process follows the same file, and most say the same of it.
        said = {str(part.about.get("configuration", "")) for part in statuses if part.up}
        found = sorted(said - {""})
        for part in statuses:
            if not part.up:
                found.append(f"{part.service} is down: {part.summary}")
            elif not part.ok:
                found.append(f"{part.service}: {part.summary or 'not well'}")
        if lag.dead:
            what = "1 piece of work was" if lag.dead == 1 else f"{lag.dead} pieces of work were"
            found.append(f"{what} given up; try again when the cause is mended")
        return found

    def _of_disk(self, space: Space | None) -> list[str]:
        reserve = self._settings.intake.reserve_fraction
        if space is None:
            return ["the volume of the picture store is not there"]
        if space.free < space.total * reserve:
            return ["the disk is too full to take pictures"]
        if space.free < space.total * min(1.0, reserve * 1.5):
            return ["the disk is nearly too full to take pictures"]
        return []


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
