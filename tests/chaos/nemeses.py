"""What goes wrong: each nemesis begins a fault and ends it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from tests.chaos.servers import Broker, Database
from tests.chaos.setups import Stage
from tests.support.proxy import Proxy

CLOCK_STEPS_S = (-3600, -90, 90, 3600)


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Nemesis:
    """A fault. ``kind`` groups those whose recovery is reported together; ``lasts`` False: it is
    over as soon as it began, and what was hit gets up by itself."""

    kind: str
    victim: str
    inject: Callable[[], object]
    heal: Callable[[], object] = _nothing
    lasts: bool = True


def nemeses(stage: Stage) -> list[Nemesis]:
    """All that can be done to a set-up on this machine."""
    found = list(_processes(stage))
    if stage.broker:
        found += _broker(stage.broker)
    if stage.database:
        found += _database(stage.database)
    for name, link in stage.links.items():
        found += _link(name, link)
    if stage.disk.is_mounted:
        found += _disks(stage)
    if stage.clock.works:
        for step in CLOCK_STEPS_S:
            ahead, back = partial(stage.clock.set, step), partial(stage.clock.set, 0)
            found.append(Nemesis("clock step", f"{step:+d} s", ahead, back))
    return found


def _processes(stage: Stage) -> Iterator[Nemesis]:
    for name in stage.names:
        send = partial(stage.signal, name)
        for number in (signal.SIGKILL, signal.SIGTERM):
            yield Nemesis(number.name, name, partial(stage.end, name, number), lasts=False)
        freeze, thaw = partial(send, signal.SIGSTOP), partial(send, signal.SIGCONT)
        yield Nemesis("SIGSTOP", name, freeze, thaw)


def _broker(broker: Broker) -> Iterator[Nemesis]:
    start = broker.start
    yield Nemesis("broker restart", "broker", broker.stop, start)
    yield Nemesis("broker kill -9", "broker", broker.crash, start)
    yield Nemesis("broker wiped", "broker", broker.wipe, start)
    yield Nemesis("broker frozen", "broker", broker.pause, broker.resume)
    close = partial(broker.ctl, "close_all_connections", "chaos")
    yield Nemesis("connections closed", "broker", close, lasts=False)
    for resource in ("memory", "disk"):
        alarm = partial(broker.alarm, resource)
        on, off = partial(alarm, on=True), partial(alarm, on=False)
        yield Nemesis(f"{resource} alarm", "broker", on, off)


def _database(database: Database) -> Iterator[Nemesis]:
    yield Nemesis("database stopped", "database", database.stop, database.start)
    yield Nemesis("database kill -9", "database", database.crash, database.start)
    yield Nemesis("database frozen", "database", database.pause, database.resume)
    yield Nemesis("database restart", "database", database.restart, lasts=False)


def _link(name: str, link: Proxy) -> Iterator[Nemesis]:
    yield Nemesis("packets dropped", name, link.freeze, link.heal)
    yield Nemesis("connections reset", name, link.reset_all, lasts=False)
    slow = partial(link.slow, latency_s=0.2, bytes_per_s=200_000)
    yield Nemesis("slow link", name, slow, link.heal)
    yield Nemesis("cut link", name, link.cut, link.heal)


def _disks(stage: Stage) -> Iterator[Nemesis]:
    yield Nemesis("disk full", "pictures", stage.disk.fill, stage.disk.free)
    yield Nemesis("disk read-only", "pictures", stage.disk.lock, stage.disk.unlock)
    if not stage.database:
        journal = stage.journal_disk
        yield Nemesis("disk full", "journal", journal.fill, journal.free)
