"""What tests of the core begin with: pictures, events, and parts put together by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shared.events import Detection, Event, SnapshotAnalyzed, SnapshotTaken, counts_of, now
from shared.ingest.intake import Accepted, Arrival, Intake
from shared.journal import Journal
from shared.service import Context
from shared.settings import Settings
from shared.settings.directory import CameraDirectory
from shared.store import Store

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def picture(number: int = 0) -> bytes:
    """The smallest thing that has a JPEG's beginning, data and end; each number is another."""
    return b"\xff\xd8\xff\xda\x00\x02" + b"%08d" % number * 20 + b"\xff\xd9"


def taken(number: int = 0, camera: str = "porch", snapshot_id: str = "") -> Event:
    """A ``snapshot.taken`` that no picture stands behind."""
    data = SnapshotTaken(
        camera=camera,
        door="ftp",
        sha256=f"{number:064x}",
        size=1000,
        media_type="image/jpeg",
        captured_at=START,
        received_at=START,
    )
    snapshot_id = snapshot_id or f"{number:026d}"
    return data.event(subject=camera, cause=snapshot_id, snapshot_id=snapshot_id, time=START)


def taken_of(sha256: str, size: int) -> Event:
    """A ``snapshot.taken`` of what is in a store."""
    return replace(taken(1), data={**taken(1).data, "sha256": sha256, "size": size})


def analyzed(cause: Event, *labels: str, confidence: float = 0.9) -> Event:
    """The ``snapshot.analyzed`` that follows a ``snapshot.taken``."""
    seen = tuple(
        Detection(label=label, confidence=confidence, box=(0, 0, 1, 1)) for label in labels
    )
    data = SnapshotAnalyzed(
        camera=cause.subject, analyzed=True, detections=seen, **counts_of(seen, 0.8)
    )
    return data.event(subject=cause.subject, cause=cause)


def events_of(results: Iterable[object]) -> list[Event]:
    """Of what a handler returned, the events."""
    return [each for each in results if isinstance(each, Event)]


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, time: datetime = START) -> None:
        self.time = time

    def __call__(self) -> datetime:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class Core:
    """A store, a journal and an intake; ``told`` and ``again`` are what the bus was asked."""

    settings: Settings
    store: Store
    journal: Journal
    told: list[Event] = field(default_factory=list)
    again: list[tuple[str, str]] = field(default_factory=list)
    max_bytes: int = 100_000

    @property
    def intake(self) -> Intake:
        return Intake(
            self.store,
            self.journal,
            self.told.extend,
            max_bytes=self.max_bytes,
            layouts=self.settings.layouts,
        )

    @property
    def parts(self) -> Context:
        return Context(
            self.settings,
            self.store,
            self.journal,
            self.intake,
            self.told.extend,
            self.redeliver,
            CameraDirectory(self.settings.cameras),
        )

    def close(self) -> None:
        self.journal.close()

    def redeliver(self, service: str, events: Sequence[Event]) -> None:
        self.again += [(service, event.id) for event in events]

    def arrive(self, data: bytes, **arrival: Any) -> Accepted:
        """Let a picture in by the intake."""
        part = self.intake.receive()
        part.write(data)
        return self.intake.accept(part, Arrival(**({"camera": "porch", "door": "ftp"} | arrival)))


@cache
def _prepared() -> bytes:
    with TemporaryDirectory() as folder:
        Journal.open(f"sqlite:///{folder}/snapbus.db").close()
        return (Path(folder) / "snapbus.db").read_bytes()


def sqlite_journal(file: Path, clock: Clock | None = None) -> Journal:
    """A journal on SQLite. A new one begins as a copy: to make its tables takes longer than most
    tests."""
    if not file.exists():
        file.write_bytes(_prepared())
    return Journal.open(f"sqlite:///{file}", clock=clock or now)


def open_journal(settings: Settings, clock: Clock | None = None) -> Journal:
    """The journal of these settings."""
    if settings.journal_url == f"sqlite:///{settings.data}/snapbus.db":
        return sqlite_journal(settings.data / "snapbus.db", clock)
    return Journal.open(settings.journal_url, clock=clock or now)


def core(folder: Path, tree: Mapping[str, Any] | None = None, clock: Clock | None = None) -> Core:
    """A core on SQLite below a folder; close its journal."""
    settings = Settings.model_validate({"data": folder, **(tree or {})})
    store = Store(folder / "store")
    store.create()
    return Core(settings, store, open_journal(settings, clock))
