"""The handlers: tell the house of pictures that it asked for, and of those that cameras sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.legacy import wire
from services.legacy.devices import Devices
from services.legacy.house import HOUSE, House
from shared.errors import Reject
from shared.events import (
    Event,
    SnapshotAnalyzed,
    SnapshotNotified,
    SnapshotRequested,
    SnapshotShared,
    SnapshotTaken,
    now,
)
from shared.failpoint import reach
from shared.journal import Journal
from shared.settings.legacy import LegacySection
from shared.store import Store


@dataclass(frozen=True, slots=True)
class Case:
    """A picture, what was found in it, and the requests that it answers."""

    taken: Event
    analyzed: Event | None
    requests: Sequence[str]


class TellHouse:
    """Tells of one picture at a time. ``analyzer`` is the one whose findings are told."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        house: House,
        devices: Devices,
        section: LegacySection,
        *,
        analyzer: str,
    ) -> None:
        self._read = journal.read
        self._store = store
        self._house = house
        self._devices = devices
        self._section = section
        self._analyzer = analyzer

    def analyzed(self, event: Event) -> Sequence[Event]:
        """``snapshot.analyzed`` → ``snapshot.notified`` for each trigger that it answers, or
        one if a camera sent it. A repeat is harmless: it has the same bytes and the same message
        id, which follows from the trigger, and comes only if the first one was not committed."""
        if event.parsed(SnapshotAnalyzed).analyzer != self._analyzer:
            return []
        case = self._case(event)
        asked = list(self._asked(case.requests))
        if asked:
            return [told for each in asked for told in self._tell(event, case, each)]
        data = case.taken.parsed(SnapshotTaken)
        sent = not data.request_id and data.door != "fetch"
        if (sent or self._section.intervals) and self._devices.is_input(data.camera):
            return self._tell(event, case)
        return []

    def shared(self, event: Event) -> Sequence[Event]:
        """``snapshot.shared`` → ``snapshot.notified``, if the picture was analysed before it was
        shared; else ``analyzed`` sees that. A repeat is harmless as there."""
        event.parsed(SnapshotShared)
        case = self._case(event)
        if case.analyzed is None:
            return []
        asked = self._asked([event.cause or ""])
        return [told for each in asked for told in self._tell(event, case, each)]

    def _case(self, event: Event) -> Case:
        story = [each.event for each in self._read.story(event.snapshot_id or "")]
        taken = next((each for each in story if each.topic == SnapshotTaken.topic), None)
        if taken is None:
            raise Reject(f"no snapshot {event.snapshot_id} in the journal")
        results = (each for each in story if each.topic == SnapshotAnalyzed.topic)
        ours = (e for e in results if e.parsed(SnapshotAnalyzed).analyzer == self._analyzer)
        requests = [taken.parsed(SnapshotTaken).request_id]
        requests += [each.cause for each in story if each.topic == SnapshotShared.topic]
        return Case(taken, next(ours, None), [each for each in requests if each])

    def _asked(self, requests: Sequence[str]) -> Iterator[Event]:
        """Those of the requests that the house made."""
        for each in requests:
            found = self._read.event(each)
            if found is None or found.event.topic != SnapshotRequested.topic:
                continue
            if found.event.parsed(SnapshotRequested).requested_by == HOUSE:
                yield found.event

    def _tell(self, event: Event, case: Case, request: Event | None = None) -> Sequence[Event]:
        camera = case.taken.subject
        taken = case.taken.parsed(SnapshotTaken)
        # As the old programs: with a last part where they fetched it themselves.
        key = f"event.notify.{self._section.topic}.{self._section.device_name}"
        key += ".image" if taken.door == "fetch" else ""

        def said(reason: str) -> Event:
            told = SnapshotNotified(
                camera=camera,
                told=not reason,
                reason=reason,
                device_key=self._devices.camera(camera).device_key(camera),
                routing_key=key,
            )
            cause = request.id if request else case.taken.id
            return told.event(subject=camera, cause=event, key=f"{HOUSE} {cause}")

        done = said("")
        if self._read.event(done.id):
            return []
        if reason := self._why_not(taken):
            return [said(reason)]
        picture = self._picture(case, taken, request)
        message = wire.told(picture, event.time, done.trace or "", done.baggage or "")
        self._house.send(key, message, done.id)
        reach("legacy.told")
        return [done]

    def _why_not(self, taken: SnapshotTaken) -> str:
        age = now() - taken.received_at
        if age > timedelta(seconds=self._section.valid_s):
            return f"the picture is {age.total_seconds():.0f} s old, no news any more"
        if taken.size > self._section.max_bytes:
            return f"it has {taken.size} bytes, more than legacy.max_bytes"
        return ""

    def _picture(self, case: Case, taken: SnapshotTaken, request: Event | None) -> wire.Picture:
        device_key = self._devices.camera(taken.camera).device_key(taken.camera)
        label, at = device_key, taken.captured_at
        if request:
            asked = request.parsed(SnapshotRequested)
            label, at = asked.device_label or label, asked.asked_at or at
        return wire.Picture(
            device_key=device_key,
            device_label=label,
            image=self._store.read(taken.sha256),
            taken_at=at,
            storage_path=self._path(taken, device_key, at),
            detail=self._detail(case),
        )

    def _path(self, taken: SnapshotTaken, device_key: str, at: datetime) -> str:
        """Where the existing system would have kept it."""
        folder = self._devices.folder(taken.camera)
        if taken.door != "fetch" and taken.name:
            return str(folder / taken.name.rpartition("/")[2])
        stem = f"fetch_{device_key.lower().replace(' ', '-')}_{int(at.timestamp())}"
        return str(folder / f"{stem}.{self._section.image_format}")

    def _detail(self, case: Case) -> str:
        """As the old programs: only of a person, and of all things with it."""
        if case.analyzed is None:
            return ""
        found = case.analyzed.parsed(SnapshotAnalyzed)
        persons = found.person_count or 0
        return f"{persons} person(s) and {len(found.detections)} things" if persons else ""
