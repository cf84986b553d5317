"""One process and one broker without threads, so that a test decides what happens next.

Store, journal, intake, workers, outbox, reconciler and handlers are the real ones; the bus is a
list of letters. A crash passes through everything as ``Crash``, and what was in memory is gone.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select

from services.camera.brands import adapter_for
from services.camera.camera import Camera
from services.camera.fetch import FetchSnapshots
from services.camera.turns import Turns
from services.drive.archives.folder import FolderArchive
from services.drive.file import FileSnapshots
from services.scheduler.interval import Intervals
from services.scheduler.reconciler import Reconciler
from shared.bus.relay import Relay
from shared.bus.thread import OUTBOX
from shared.envelope import decode
from shared.errors import JournalUnavailable
from shared.events import Event, SnapshotAnalyzed, SnapshotRequested, SnapshotTaken
from shared.ingest.intake import Intake
from shared.journal import Journal
from shared.journal.database import Database
from shared.journal.group_commit import GroupCommit, _Job
from shared.journal.owned import Change
from shared.journal.schema import work
from shared.runtime.in_flight import InFlight
from shared.runtime.metrics import Metrics
from shared.runtime.outbox import Outbox, announce
from shared.runtime.worker import Worker
from shared.service import Context, Handler, Service
from shared.settings import Settings
from shared.settings.directory import CameraDirectory
from shared.settings.fetch import FetchSection
from shared.stop import Stop
from shared.store import Store
from tests.model.post import FakeEnd, Letter, Post
from tests.support.making import Clock, picture

EVERY_S = 300.0


class Crash(BaseException):
    """The process ends here."""


class Direct(GroupCommit):
    """Commits in the caller's thread, so that a crash ends the caller and not another thread."""

    def run(self, job: Callable[[Any], None], *, quick: bool = False) -> None:
        mine = _Job(job)
        self._commit([mine])
        if mine.error:
            raise mine.error


def analyser(name: str) -> Handler:
    """An analyser without engine."""

    def analyse(event: Event) -> Sequence[Event]:
        data = SnapshotAnalyzed(camera=event.subject, analyzer=name, analyzed=False)
        return [data.event(subject=event.subject, cause=event)]

    return analyse


class World:
    """All of it, below a folder; ``template`` is a migrated database to begin with."""

    def __init__(self, folder: Path, template: Path, clock: Clock) -> None:
        self.folder, self.clock, self.post = folder, clock, Post()
        shutil.copy(template, folder / "snapbus.db")
        still = folder / "still.jpg"
        still.write_bytes(picture(99))
        camera = {"fetch": {"kind": "file", "path": str(still), "every_s": EVERY_S}}
        self.settings = Settings.model_validate({"data": folder, "cameras": {"gate": camera}})
        self.archives = {"folder": folder / "archive", "nas": folder / "nas"}
        for archive in self.archives.values():
            FolderArchive(archive).prepare(first=True)
        self.away = False
        self.wrong: list[str] = []  # what no worker may do, as it was done
        self.begin()

    def begin(self) -> None:
        """What a process does as it starts; the database may be away."""
        self.store = Store(self.folder / "store")
        self.store.create()
        self.database = Database(f"sqlite:///{self.folder}/snapbus.db")
        self.journal = Journal(self.database, self.clock)
        self.journal._group = Direct(self.database.writing)
        self.post.outgoing, self.post.unmarked = [], []
        self.intake = Intake(self.store, self.journal, self.tell, max_bytes=100_000)
        still = FetchSection(kind="file", path=self.folder / "still.jpg", attempts=1, timeout_s=5.0)
        gate = Camera("gate", adapter_for(still), still, pause=lambda _s: None)
        camera = FetchSnapshots(lambda: {"gate": gate}, ["gate"], self.intake, Turns(1))
        handlers: dict[str, tuple[str, Any]] = {
            "camera": (SnapshotRequested.topic, camera),
            "detector": (SnapshotTaken.topic, analyser("detector")),
            "cloud": (SnapshotTaken.topic, analyser("cloud")),
        }
        for name, root in self.archives.items():
            drive = FileSnapshots(
                FolderArchive(root, name), self.store, self.journal,
                policy="everything",
            )  # fmt: skip
            queue = "drive" if name == "folder" else f"drive-{name}"
            handlers[queue] = (SnapshotAnalyzed.topic, drive)
        metrics, in_flight = Metrics(), InFlight()
        self.workers = {}
        for name, (topic, handler) in handlers.items():
            self.post.topics[name] = topic
            careful = name != "detector"
            handle = self._watched(name, handler) if careful else handler
            service = Service(name, {topic: handle}, look_up_first=careful)
            self.workers[name] = Worker(
                service, 0, relay=cast(Relay, None), journal=self.journal,
                policy=self.settings.work, metrics=metrics, in_flight=in_flight, stop=_stopped(),
            )  # fmt: skip
            self.journal.subscribe(name, [topic])
        self.intervals = Intervals(self.context, self.clock)
        self.set_away(self.away)

    @property
    def context(self) -> Context:
        return Context(
            self.settings,
            self.store,
            self.journal,
            self.intake,
            self.tell,
            self.redeliver,
            CameraDirectory(self.settings.cameras),
        )

    def tell(self, events: Sequence[Event]) -> None:
        announce(cast(Any, FakeEnd(self.post)), events)

    def redeliver(self, service: str, events: Sequence[Event]) -> None:
        announce(cast(Any, FakeEnd(self.post)), events, service)

    def set_away(self, away: bool) -> None:
        self.away = away
        self.database.obstacle = JournalUnavailable("it is away") if away else None

    @contextmanager
    def seen(self) -> Iterator[None]:
        """Look into the journal although the process can't."""
        away = self.away
        self.set_away(False)
        yield
        self.set_away(away)

    def crash(self) -> None:
        """End, and start again. What was handed out comes again."""
        self.journal.close()
        self.begin()

    def deliver(self, letter: Letter) -> None:
        """A worker gets it; unless it settles it, it comes again."""
        self.post.letters.remove(letter)

        def on_done() -> None:
            if not self.status(letter.queue, decode(letter.body).id):
                self.wrong.append(f"{letter.queue} acknowledged what it had not answered")

        end = FakeEnd(self.post, on_done=on_done)
        try:
            worker = self.workers[letter.queue]
            worker._take(cast(Any, end), b"1", letter.body, redelivered=letter.redelivered)
        finally:
            # Told to the bus thread of a process that ends, an acknowledgement may not get out.
            if not end.settled:
                self.post.letters.append(replace(letter, redelivered=True))

    def _watched(self, name: str, handler: Handler) -> Handler:
        def handle(event: Event) -> Sequence[Event | Change]:
            if self.status(name, event.id) == "done":
                self.wrong.append(f"{name} did once more what was done")
            return handler(event)

        return handle

    def status(self, service: str, event_id: str) -> str:
        """What the journal says of this service's work on an event; empty: nothing."""
        mine = (work.c.service == service) & (work.c.event_id == event_id)
        with self.seen(), self.database.reading() as link:
            return link.execute(select(work.c.status).where(mine)).scalar() or ""

    def mark(self) -> None:
        """The outbox marks what was confirmed."""
        frames = [[b"confirmed", *self.post.unmarked]] if self.post.unmarked else []
        self.post.unmarked = []
        outbox = Outbox(cast(Relay, None), self.journal, _stopped())
        assert outbox.name == OUTBOX
        outbox._mark(cast(Any, FakeEnd(self.post, frames)), 0.0)

    def reconcile(self) -> None:
        """A round of the reconciler, which remembers nothing."""
        for name in self.workers:
            self.journal.report(name, self.clock(), {})
        Reconciler(self.context, at_once=False, clock=self.clock).reconcile()


def _stopped() -> Stop:
    """As while stopping: a worker that waits for the journal gives up at once."""
    stop = Stop()
    stop.set()
    return stop
