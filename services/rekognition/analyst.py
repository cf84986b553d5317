"""The handler: the local detector's result → a second one, bought, remembered or refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from services.rekognition.labels import detections
from services.rekognition.picture import prepared
from services.rekognition.regions import NotTaken, Regions
from services.rekognition.wishes import wants
from shared.errors import PictureError, Reject
from shared.events import Event, SnapshotAnalyzed, counts_of
from shared.events import now as utc_now
from shared.journal import Journal
from shared.journal.queries.snapshots import Snapshot
from shared.paid import Answer, Call, Governor, Purchase, Refused
from shared.picture.budget import ORDINARY_FILE
from shared.picture.decode import Decoded, Limits
from shared.picture.likeness import Likeness
from shared.picture.stored import StoredPicture
from shared.settings.rekognition import RekognitionSection
from shared.store import Store

NAME = "rekognition"
LOCAL = "detector"


class Analyst:
    """Handles ``snapshot.analyzed``. Any thread."""

    def __init__(
        self,
        section: RekognitionSection,
        journal: Journal,
        store: Store,
        regions: Regions,
        governor: Governor,
        *,
        limits: Limits,
        person_confidence: float,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._section = section
        self._journal = journal
        self._store = store
        self._regions = regions
        self._governor = governor
        self._limits = limits
        self._person_confidence = person_confidence
        self._now = clock

    def __call__(self, event: Event) -> Sequence[Event]:
        """A repeat is harmless: the answer that was paid for is found again. Raises Unreachable
        while no region answers: then nothing is said, and never "nothing found"."""
        local = event.parsed(SnapshotAnalyzed)
        if local.analyzer != LOCAL or not wants(self._section, local):
            return []
        snapshot = self._journal.read.snapshot(event.snapshot_id or "")
        if snapshot is None:
            raise Reject(f"no snapshot {event.snapshot_id} in the catalogue")
        found = self._look(event, snapshot)
        return [found.event(subject=event.subject, cause=event)]

    def _look(self, event: Event, snapshot: Snapshot) -> SnapshotAnalyzed:
        if (self._now() - snapshot.received_at).total_seconds() > self._section.valid_s:
            return _not_analyzed(snapshot, "too old")
        began = time.perf_counter()
        longest = self._section.longest_side
        try:
            picture = self._stored(snapshot, (longest, longest)).upright
        except PictureError as error:
            return _not_analyzed(snapshot, str(error))
        call = Call(snapshot.camera, event.organisation, snapshot.id, Likeness.of(picture.pixels))
        decoded = time.perf_counter()

        def buy(purchase: Purchase) -> Mapping[str, Any]:
            return self._buy(picture, purchase)

        try:
            answer = self._governor.ask(call, buy)
        except Refused as error:
            return _not_analyzed(snapshot, error.reason)
        except NotTaken as error:
            return _not_analyzed(snapshot, str(error))
        spent = {"decode": decoded - began, "ask": time.perf_counter() - decoded}
        return self._said(snapshot, picture, answer, spent)

    def _stored(self, snapshot: Snapshot, fit: tuple[int, int]) -> StoredPicture:
        source: bytes | Path
        if snapshot.size > ORDINARY_FILE:
            source = self._store.path(snapshot.sha256)
        else:
            source = self._store.read(snapshot.sha256)
        return StoredPicture(source, self._limits, fit)

    def _buy(self, picture: Decoded, purchase: Purchase) -> Mapping[str, Any]:
        section = self._section
        answer = self._regions.detect(
            prepared(picture, section.longest_side),
            purchase,
            labels=section.max_labels,
            confidence=section.confidence,
        )
        found, model = detections(answer, section.confidence)
        return {"model": model, "detections": [each.model_dump(mode="json") for each in found]}

    def _said(
        self, snapshot: Snapshot, picture: Decoded, answer: Answer, spent: Mapping[str, float]
    ) -> SnapshotAnalyzed:
        data = {"camera": snapshot.camera, "analyzed": True, **answer.data}
        read = SnapshotAnalyzed.model_validate(data)
        return read.model_copy(
            update={
                "analyzer": NAME,
                "engine": NAME if answer.bought else f"{NAME}, as for {answer.snapshot_id}",
                **counts_of(read.detections, self._person_confidence),
                "width": picture.width,
                "height": picture.height,
                "milliseconds": {step: round(1e3 * took, 2) for step, took in spent.items()},
            }
        )


def _not_analyzed(snapshot: Snapshot, reason: str) -> SnapshotAnalyzed:
    return SnapshotAnalyzed(
        camera=snapshot.camera, analyzer=NAME, analyzed=False, reason=reason, engine=NAME
    )
