"""The detector's handler: analyses each picture taken.

The picture is decoded once, strictly. That decode proves that it is sound, and the same pixels go
to the engine.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from services.detector.engines.engine import Engine, EngineFailed
from shared.errors import PictureError, Reject, Retry
from shared.events import (
    Detection,
    Event,
    SnapshotAnalyzed,
    SnapshotRejected,
    SnapshotTaken,
    counts_of,
)
from shared.picture.budget import ORDINARY_FILE
from shared.picture.decode import Decoded, Limits
from shared.picture.stored import StoredPicture
from shared.store import Store

log = logging.getLogger(__name__)

MOST_REPORTED = 100
"""More detections would not fit into one message; the surest are reported."""


class Analyst:
    """Handles ``snapshot.taken``. Any thread.

    Without an ``engine``, pictures are checked and not analysed, and ``reason`` says why. ``fast``
    decodes large JPEGs no larger than the engine needs. At most ``at_a_time`` pictures are
    decoded and analysed together; other threads read theirs and wait. A person counts from
    ``person_confidence`` on.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine | None,
        *,
        reason: str = "",
        limits: Limits | None = None,
        fast: bool = True,
        at_a_time: int = 1,
        person_confidence: float = 0.8,
    ) -> None:
        self._store = store
        self._reason = reason
        self._limits = limits or Limits()
        self._person_confidence = person_confidence
        self._fast = fast
        self._fit: tuple[int, int] | None = (640, 640) if fast else None
        self._engine: Engine | None = None
        if engine:
            self.use(engine)
        self._turns = threading.BoundedSemaphore(at_a_time)
        self._lock = threading.Lock()
        self._counts = {"analyzed": 0, "not_analyzed": 0, "rejected": 0}
        self._recent_ms = 0.0

    def __call__(self, event: Event) -> Sequence[Event]:
        """A repeat is harmless: the events returned have ids fixed by this one's."""
        taken = event.parsed(SnapshotTaken)
        stored = self._read(taken)
        with self._turns:
            return [self._look(event, taken, stored)]

    def _look(self, event: Event, taken: SnapshotTaken, stored: StoredPicture) -> Event:
        start = time.perf_counter()
        try:
            picture = stored.upright
        except PictureError as error:
            self._count("rejected")
            log.warning(
                "rejected a picture of %s: %s",
                taken.camera,
                error,
                extra={"action": "rejected", "camera": taken.camera, "snapshot": event.snapshot_id},
            )
            rejected = SnapshotRejected(camera=taken.camera, reason=str(error))
            return rejected.event(subject=event.subject, cause=event)
        spent = {"decode": 1e3 * (time.perf_counter() - start)}
        return self._analyze(taken, picture, spent).event(subject=event.subject, cause=event)

    def use(self, engine: Engine) -> None:
        """Analyse with this engine from the next picture on. Any thread."""
        if self._fast:
            self._fit = engine.size
        self._engine = engine

    def counts(self) -> Mapping[str, Any]:
        """The number of pictures by outcome since the start, and the recent average time."""
        with self._lock:
            return {**self._counts, "milliseconds": round(self._recent_ms, 1)}

    def _read(self, taken: SnapshotTaken) -> StoredPicture:
        source: bytes | Path
        if taken.size > ORDINARY_FILE:
            digest = self._store.digest(taken.sha256)
            source = self._store.path(taken.sha256)
        else:
            source = self._store.read(taken.sha256)
            digest = hashlib.sha256(source).hexdigest()
        if digest != taken.sha256:
            raise Reject(f"the file {taken.sha256} in the store no longer has this hash")
        return StoredPicture(source, self._limits, self._fit)

    def _analyze(
        self, taken: SnapshotTaken, picture: Decoded, spent: dict[str, float]
    ) -> SnapshotAnalyzed:
        engine = self._engine  # another may take its place meanwhile
        if engine is None:
            self._count("not_analyzed")
            return SnapshotAnalyzed(
                camera=taken.camera,
                analyzed=False,
                reason=self._reason,
                width=picture.width,
                height=picture.height,
                milliseconds=_rounded(spent),
            )
        try:
            result = engine.detect(picture.pixels)
        except EngineFailed as error:
            raise Retry(str(error)) from error
        spent |= result.milliseconds
        self._count("analyzed", sum(spent.values()))
        return SnapshotAnalyzed(
            camera=taken.camera,
            analyzed=True,
            detections=_most_certain(result.detections, taken),
            **counts_of(result.detections, self._person_confidence),
            engine=engine.name,
            model=engine.model,
            model_sha256=engine.model_sha256,
            width=picture.width,
            height=picture.height,
            milliseconds=_rounded(spent),
        )

    def _count(self, what: str, milliseconds: float | None = None) -> None:
        with self._lock:
            self._counts[what] += 1
            if milliseconds is not None:  # a moving average over about the last ten
                weight = 0.1 if self._recent_ms else 1.0
                self._recent_ms += weight * (milliseconds - self._recent_ms)


def _most_certain(detections: Sequence[Detection], taken: SnapshotTaken) -> tuple[Detection, ...]:
    if len(detections) > MOST_REPORTED:
        log.info(
            "%d things seen on a picture of %s; the %d surest are reported",
            len(detections),
            taken.camera,
            MOST_REPORTED,
            extra={"action": "shortened", "camera": taken.camera},
        )
    return tuple(detections[:MOST_REPORTED])


def _rounded(milliseconds: Mapping[str, float]) -> dict[str, float]:
    return {step: round(value, 2) for step, value in milliseconds.items()}
