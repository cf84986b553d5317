"""Runs services in one process: builds them, starts their threads, watches them, stops them.

Threads: the bus; workers per service; one per source; the outbox; the health server; and the main
one, which examines the process every few seconds. A thread that dies ends the process, so that
its supervisor starts it afresh: half a process is worse than none.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from shared.bus.open import open_broker
from shared.bus.relay import Relay
from shared.bus.thread import Bus
from shared.errors import (
    BrokerUnavailable,
    ConfigError,
    JournalUnavailable,
    SnapbusError,
    StoreError,
)
from shared.events import Event, now
from shared.failpoint import reach
from shared.ingest.intake import Intake
from shared.journal import Journal
from shared.runtime.admission import doubt
from shared.runtime.follower import ConfigFollower
from shared.runtime.health import HealthServer, Pulse
from shared.runtime.in_flight import InFlight
from shared.runtime.metrics import Metrics
from shared.runtime.outbox import Outbox, announce
from shared.runtime.outside import outside
from shared.runtime.self_check import SelfCheck, SelfCheckThread
from shared.runtime.threads import join
from shared.runtime.worker import Worker
from shared.service import Context, Service, Source
from shared.settings import Settings
from shared.settings.directory import CameraDirectory
from shared.stop import Stop
from shared.store import Store, open_store

log = logging.getLogger(__name__)

T = TypeVar("T")
Threads = Sequence[threading.Thread]
Build = Callable[[Context], Sequence[Service]]
Follow = Callable[[CameraDirectory], ConfigFollower | None]
WATCH_S = 2.0
RETRY_S = 2.0


class Runtime:
    """One process. Construct, ``run``, and from a signal handler ``stop``."""

    def __init__(
        self, settings: Settings, build: Build, follow: Follow = lambda cameras: None
    ) -> None:
        """``follow`` makes what follows the configuration file, if anything does."""
        self._settings = settings
        self._cameras = CameraDirectory(settings.cameras)
        self._follower = follow(self._cameras)
        self._build = build
        self._stop = Stop()
        self._workers_stop = Stop()
        self._outbox_stop = Stop()
        self._in_flight = InFlight()
        self._bus: Bus | None = None
        self._pulse = Pulse(problems=("starting",))
        self._started_at = now()
        self._left: Threads = ()
        self._failure: BaseException | None = None
        self._relay = Relay()
        self._metrics = Metrics()

    def stop(self) -> None:
        """Begin to stop. Any thread, and safe in a signal handler."""
        self._stop.set()

    def run(self) -> int:
        """Run until stopped; returns the exit status: 1 a part failed, 2 wrong configuration."""
        health = self._settings.health
        server = HealthServer(health.host, health.port, lambda: self._pulse, self._metrics.render)
        server.start()
        try:
            return self._run()
        finally:
            server.stop()
            if not self._left:  # closed under a thread of ours, it would abort the process
                self._relay.close()

    def _run(self) -> int:
        store = self._open_store()
        if store is None:
            return 0
        journal = Journal.unprepared(self._settings.journal_url, self._settings.api.page)
        try:
            return self._serve(store, journal)
        finally:
            journal.close()

    def _open_store(self) -> Store | None:
        store = open_store(self._settings)
        return store if self._insist(store.create) else None

    def _insist(self, call: Callable[[], T], tries: float = math.inf) -> T | None:
        """Call until what it needs is there; None when told to stop first, or tried so often."""
        while tries > 0 and not self._stop.is_set():
            tries -= 1
            try:
                return call()
            except (JournalUnavailable, StoreError) as error:
                log.warning("waiting: %s", error, extra={"action": "waiting"})
                self._pulse = Pulse(problems=(str(error),))
                if tries > 0:
                    self._stop.wait(RETRY_S)
        return None

    def _serve(self, store: Store, journal: Journal) -> int:
        def tell(events: Sequence[Event]) -> None:
            announce(self._relay.end(), events)

        own, cameras = self._settings, self._cameras
        make = partial(Intake, organisation=cameras.organisation, device=cameras.device)
        intake = make(store, journal, tell, max_bytes=own.intake.max_bytes, layouts=own.layouts)
        self._insist(lambda: journal.prepare(store.volume.identity()), tries=1)
        context = Context(own, store, journal, intake, tell, self._redeliver, cameras)
        services = [*self._build(context), *outside(context)]
        subscribe = partial(_subscribe, services, store, journal)
        broker = open_broker(self._settings.broker, "+".join(s.name for s in services))
        bus = self._bus = Bus(broker, self._relay, _consumes(services))
        outbox = Outbox(self._relay, journal, self._outbox_stop)
        workers = [
            self._worker(s, i, journal) for s in services if s.handlers for i in range(s.workers)
        ]
        sources = [self._source(source) for service in services for source in service.sources]
        try:
            self._start(subscribe, [bus, outbox], workers, sources)
            log.info("running %s", ", ".join(s.name for s in services), extra={"action": "running"})
            self_check = SelfCheck(
                services,
                bus,
                store,
                journal,
                self._metrics,
                started_at=self._started_at,
                stuck_s=self._settings.health.stuck_s,
            )
            self._watch(self_check, [bus, outbox, *workers, *sources])
        finally:
            self._shut_down(sources, workers, bus, outbox)
            for service in services:
                service.close()
        log.info("stopped", extra={"action": "stopped"})
        return 2 if isinstance(self._failure, ConfigError) else 1 if self._failure else 0

    def _start(
        self, subscribe: Callable[[], bool], transport: Threads, workers: Threads, doors: Threads
    ) -> None:
        """Whoever handles what comes is there before it comes; but doors also open while the
        database is away: what comes then waits in the spool."""
        ready = self._insist(subscribe, tries=1)
        for thread in (*transport, *(workers if ready else ()), *doors):
            thread.start()
        if not ready and self._insist(subscribe):
            for thread in workers:
                thread.start()

    def _redeliver(self, service: str, events: Sequence[Event]) -> None:
        if not (self._bus and self._bus.connected):
            raise BrokerUnavailable("it is not connected")
        announce(self._relay.end(), events, queue=service)

    def _worker(self, service: Service, number: int, journal: Journal) -> Worker:
        return Worker(
            service,
            number,
            relay=self._relay,
            journal=journal,
            policy=self._settings.work,
            metrics=self._metrics,
            in_flight=self._in_flight,
            stop=self._workers_stop,
            doubt=partial(doubt, self._settings),
        )

    def _source(self, source: Source) -> threading.Thread:
        def run() -> None:
            try:
                source.run(self._stop)
            except Exception as error:
                told = {"action": "source_failed"}
                if isinstance(error, ConfigError):
                    log.error("the configuration can't be used: %s", error, extra=told)
                else:
                    log.exception("source %s failed", source.name, extra=told)
                self._failure = error
                self._stop.set()

        return threading.Thread(target=run, name=source.name, daemon=True)

    def _watch(self, self_check: SelfCheck, threads: Threads) -> None:
        # A thread of its own, so that a database which does not answer can't hold up the end.
        watching = SelfCheckThread(self_check, self._follower, self._stop, self._set_pulse)
        watching.start()
        while not self._stop.wait(WATCH_S):
            for thread in (*threads, watching):
                if not thread.is_alive() and not self._stop.is_set():
                    log.error("thread %s died", thread.name, extra={"action": "thread_died"})
                    self._failure = SnapbusError(f"thread {thread.name} died")
                    self._stop.set()

    def _set_pulse(self, pulse: Pulse) -> None:
        self._pulse = pulse

    def _shut_down(
        self, sources: Threads, workers: Threads, bus: Bus, outbox: threading.Thread
    ) -> None:
        """Sources first, so that nothing new comes; then workers finish; the bus is last."""
        deadline = time.monotonic() + self._settings.work.stop_grace_s
        self._stop.set()
        join(sources, deadline)
        self._workers_stop.set()
        join(workers, deadline)
        bus.stop()
        join([bus], deadline + 1.5)
        self._outbox_stop.set()
        join([outbox], deadline + 2.0)
        self._left = [each for each in (*sources, *workers, bus, outbox) if each.is_alive()]


def _subscribe(services: Sequence[Service], store: Store, journal: Journal) -> bool:
    journal.prepare(store.volume.identity())
    reach("runtime.prepared")
    for service in services:
        journal.subscribe(service.name, sorted(service.handlers), service.history)
    reach("runtime.subscribed")
    return True


def _consumes(services: Sequence[Service]) -> dict[str, tuple[list[str], int]]:
    return {s.name: (sorted(s.handlers), s.workers) for s in services if s.handlers}
