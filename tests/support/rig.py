"""A service with all that is around a worker, in one process: what tests of workers start from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shared.bus.local import LocalBroker
from shared.bus.relay import Relay
from shared.bus.thread import Bus
from shared.events import Event, SnapshotSkipped
from shared.journal.owned import Change
from shared.runtime.in_flight import InFlight
from shared.runtime.metrics import Metrics
from shared.runtime.outbox import Outbox, announce
from shared.runtime.worker import Worker
from shared.service import Handler, Service
from shared.settings.runtime import WorkSection
from shared.stop import Stop
from tests.support.making import analyzed, sqlite_journal, taken

EVENT = analyzed(taken(1), "cat")
OTHER = analyzed(taken(2), "cat")


def skipped(event: Event) -> Sequence[Event]:
    """What drive answers to a picture that is not to be filed."""
    data = SnapshotSkipped(camera=event.subject, policy="people")
    return [data.event(subject=event.subject, cause=event)]


class Rig:
    """A service named drive with a real journal, relay, bus and local broker."""

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self.journal = sqlite_journal(folder / "journal.db")
        self.broker, self.relay, self.metrics = LocalBroker(), Relay(), Metrics()
        self.handler: Handler = skipped
        self.seen: list[str] = []
        self.stop, self.outbox_stop = Stop(), Stop()
        topics = {"snapshot.analyzed": self.handle}
        self.service = Service("drive", topics, workers=workers)
        self.bus = Bus(self.broker, self.relay, {"drive": (list(topics), workers)})
        self.policy = WorkSection(attempts=2, retries=3)
        self.outbox = Outbox(self.relay, self.journal, self.outbox_stop)
        self.workers = [self.worker(number, InFlight()) for number in range(workers)]
        in_flight = InFlight()
        for each in self.workers:
            each._in_flight = in_flight

    def worker(self, number: int, in_flight: InFlight) -> Worker:
        return Worker(
            self.service,
            number,
            relay=self.relay,
            journal=self.journal,
            policy=self.policy,
            metrics=self.metrics,
            in_flight=in_flight,
            stop=self.stop,
        )

    def handle(self, event: Event) -> Sequence[Event | Change]:
        self.seen.append(event.id)
        return self.handler(event)

    def start(self) -> None:
        for thread in (self.bus, self.outbox, *self.workers):
            thread.start()

    def give(self, *events: Event, queue: str = "") -> None:
        announce(self.relay.end(), events, queue)

    def status(self, event: Event = EVENT) -> str:
        if self.journal.begin("drive", event, redelivered=False).done:
            dead = [item.event.id for item in self.journal.recovery.items(("dead",))]
            return "dead" if event.id in dead else "done"
        items = self.journal.recovery.items()
        return next((item.status for item in items if item.event.id == event.id), "open")

    def reached(self, seen: int, status: str) -> bool:
        return (len(self.seen), self.status()) == (seen, status)

    def is_idle(self) -> bool:
        return not self.broker._queues["drive"].unacknowledged

    def error(self) -> str:
        return self.journal.recovery.items()[0].error

    def has_counted(self, name: str, count: int) -> bool:
        return self.outcome(name) == count

    def outcome(self, name: str) -> float:
        counter = self.metrics.handled.labels("drive", "snapshot.analyzed", name)
        return counter._value.get()

    def close(self) -> None:
        self.stop.set()
        for worker in self.workers:
            worker.join(30)
        self.bus.stop()
        self.bus.join(30)
        self.outbox_stop.set()
        self.outbox.join(30)
        assert not any(each.is_alive() for each in (self.bus, self.outbox, *self.workers))
        self.relay.end().close()
        self.relay.close()
        self.journal.close()
