"""Asking cameras in tests: by an adapter alone, and by the whole service with store and journal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.camera.app import build
from services.camera.brands import adapter_for
from services.camera.brands.adapter import Adapter
from services.camera.still import one_picture
from shared.events import CameraFailed, Event, SnapshotRequested
from shared.http.deadline import Deadline
from shared.ingest.intake import Intake
from shared.service import Context, Service
from shared.settings import Settings
from shared.settings.directory import CameraDirectory
from shared.settings.fetch import FetchSection
from shared.store import Store
from tests.support.making import events_of, sqlite_journal


def fetch(url: str, **more: object) -> Adapter:
    """The adapter for a ``fetch`` section."""
    return adapter_for(FetchSection.model_validate({"url": url, **more}))


def take(adapter: Adapter, seconds: float = 5.0) -> bytes:
    """One picture, as the service would take it."""
    with Deadline(seconds) as deadline, adapter.open(deadline) as still:
        return b"".join(one_picture(still.chunks))


@dataclass
class Place:
    """A store, a journal and an intake in a folder; ``said`` are the announced events."""

    folder: Path
    max_bytes: int = 1_000_000
    said: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = Store(self.folder / "store")
        self.store.create()
        self.journal = sqlite_journal(self.folder / "snapbus.db")
        self.intake = Intake(self.store, self.journal, self._say, max_bytes=self.max_bytes)

    def _say(self, events: Sequence[Event]) -> None:
        self.said.extend(events)

    def service(self, cameras: dict[str, Any]) -> Service:
        tree = {name: {"fetch": fetch} if fetch else {} for name, fetch in cameras.items()}
        settings = Settings.model_validate({"data": self.folder, "cameras": tree})
        return build(
            Context(
                settings=settings,
                store=self.store,
                journal=self.journal,
                intake=self.intake,
                announce=self._say,
                redeliver=lambda service, events: None,
                cameras=CameraDirectory(settings.cameras),
            )
        )


def request(camera: str = "gate", cause: str = "", **more: Any) -> Event:
    data = SnapshotRequested(camera=camera, **{"reason": "interval", **more})
    return data.event(subject=camera, cause=cause or str(time.monotonic_ns()))


def ask(service: Service, event: Event) -> Sequence[Event]:
    return events_of(service.handlers["snapshot.requested"](event))


def failure(events: Sequence[Event]) -> CameraFailed:
    (event,) = events
    assert event.topic == "camera.failed"
    return CameraFailed.model_validate(event.data)
