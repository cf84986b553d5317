"""The process whose power is cut: it takes pictures, or publishes, and says what it acknowledged.

One line per acknowledgement on its standard output, written after the call that promised it:
``<sha256> <size>`` of a picture, ``archived <snapshot id> <sha256> <path>`` of one that was filed,
or the id of a confirmed event. ``--control`` takes one safeguard away, in this process only.
"""

from __future__ import annotations

import argparse
import os
import random
import stat
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import shared.journal.database as database_module
from shared.bus.broker import Delivery, Message
from shared.bus.rabbit.broker import RabbitBroker
from shared.events import CameraTested
from shared.failpoint import arm
from shared.ingest.intake import Arrival, Intake
from shared.journal import Journal
from shared.store import Store
from tests.chaos.power_drive import Drive
from tests.support.making import taken

WRITERS = 4
UNDER_WAY = 100
PAUSE_S = 0.05


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--journal")
    parser.add_argument("--archive", action="store_true", help="file pictures, too")
    parser.add_argument("--broker")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--control", default="")
    parser.add_argument("--slow", action="store_true", help="one camera that takes its time")
    options = parser.parse_args()
    arm(os.environ.get("FAILPOINT", ""))
    _CONTROLS.get(options.control, lambda: None)()
    if options.broker:
        publish(options.broker, options.seed)
    else:
        how = {name: getattr(options, name) for name in ("archive", "slow")}
        early = options.control == "ack-before-commit"
        take(options.store, options.journal, options.seed, early=early, **how)


def acknowledge(line: str) -> None:
    """Tell the parent, in one write."""
    os.write(1, f"{line}\n".encode())


def take(root: Path, url: str, seed: int, *, archive: bool, early: bool, slow: bool) -> None:
    """Take pictures for ever by several threads, one of which finds the database away: what it
    acknowledges stands in the spool. ``slow``: by one thread, with pauses."""
    store = Store(root)
    store.create()
    journal = Journal.open(url)
    journal.facts.belongs_to(store.volume.identity())
    away = Journal.unprepared(url.replace("journal.db", "away.db"))
    drive = Drive(store, journal, acknowledge) if archive else None
    announce = drive.announce if drive else lambda events: None
    threads = []
    if slow:
        _fill(journal, seed)
    for number in (1,) if slow else range(WRITERS):
        behind = away if number == 0 else journal
        intake = Intake(store, behind, announce, max_bytes=10**7)
        chance = random.Random(f"{seed} {number}")
        pause = partial(_pause, drive) if slow else lambda: None
        thread = threading.Thread(target=_take, args=(intake, chance, early, pause), daemon=True)
        thread.start()
        threads.append(thread)
    if drive:
        drive.go_on()
    for thread in threads:
        thread.join()


def _pause(drive: Drive | None) -> None:
    if drive:
        drive.waiting.join()
    time.sleep(PAUSE_S)


def _fill(journal: Journal, seed: int) -> None:
    """Let SQLite's write-ahead log reach the size at which it is written over. While it grows,
    each of its syncs has ext4 write the names of all new files too, which hides a missing sync."""
    tested = CameraTested(camera="porch", door="ftp", name="x" * 1000)
    for begin in range(0, 3000, 100):
        cause = f"{seed} {begin}"
        journal.append([tested.event(subject="", cause=f"{cause} {n}") for n in range(100)])


def _take(intake: Intake, chance: random.Random, early: bool, pause: Callable[[], None]) -> None:
    while True:
        size = int(2000 * 30 ** chance.random())
        part = intake.receive()
        grain = chance.randbytes(size).replace(b"\xff", b"\x00")  # no markers in the data
        part.write(b"\xff\xd8\xff\xda\x00\x02" + grain + b"\xff\xd9")
        line = f"{part.sha256} {part.size}"
        if early:
            acknowledge(line)
        key = part.sha256 if chance.random() < 0.5 else ""
        intake.accept(part, Arrival(camera="porch", door="ftp", name=f"{size}.jpg", key=key))
        if not early:
            acknowledge(line)
        pause()


class _Confirms:
    """A listener that acknowledges what the broker confirmed."""

    def __init__(self) -> None:
        self.connected = False
        self.under_way = 0

    def on_delivery(self, delivery: Delivery) -> None:
        raise AssertionError("nothing is consumed")

    def on_confirmed(self, event_id: str) -> None:
        self.under_way -= 1
        acknowledge(event_id)

    def on_refused(self, event_id: str, reason: str) -> None:
        self.under_way -= 1

    def on_connection(self, connected: bool, detail: str) -> None:
        self.connected = connected


def publish(url: str, seed: int) -> None:
    """Publish for ever, at most a hundred unconfirmed at a time."""
    broker, confirms = RabbitBroker(url), _Confirms()
    broker.open(confirms)
    number = seed * 10**7
    while True:
        while confirms.connected and confirms.under_way < UNDER_WAY:
            event = taken(number)
            body = f"{event.id} ".encode() * 10
            broker.publish(Message(event.id, event.routing_key, body))
            confirms.under_way += 1
            number += 1
        broker.poll(0.1)


# Each takes one safeguard away.


def _without_sync_of(is_kind: Callable[[int], bool]) -> None:
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if not is_kind(os.fstat(descriptor).st_mode):
            real(descriptor)

    os.fsync = fsync  # type: ignore[assignment]


def _archive_without(name: str, instead: Any) -> None:
    mock.patch(f"services.drive.archives.folder.{name}", instead).start()


def _synchronous_normal() -> None:
    real = database_module._set_up_sqlite

    def set_up(connection: Any, _record: Any) -> None:
        real(connection, _record)
        connection.execute("PRAGMA synchronous=NORMAL")

    database_module._set_up_sqlite = set_up


_CONTROLS: dict[str, Callable[[], None]] = {
    "no-file-sync": lambda: _without_sync_of(stat.S_ISREG),
    "no-folder-sync": lambda: _without_sync_of(stat.S_ISDIR),
    "no-archive-file-sync": lambda: _archive_without("os", mock.Mock()),
    "no-archive-folder-sync": lambda: _archive_without("sync_folder", mock.Mock()),
    "synchronous-normal": _synchronous_normal,
}

if __name__ == "__main__":
    main()
