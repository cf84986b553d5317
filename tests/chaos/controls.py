"""Small worlds in which one safeguard at a time can be taken away, and the count of what was lost.

Each function plays one scenario; ``broken`` takes the safeguard away, here and never by a switch of
the product. The safeguards that only a power cut needs are in tests/chaos/power.py.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from PIL import Image

from services.folder.app import build as build_door
from services.folder.importer import Importer
from services.scheduler.reconciler import Reconciler
from shared.bus.broker import Message
from shared.bus.local import LocalBroker
from shared.bus.relay import Relay
from shared.bus.thread import Bus
from shared.errors import PictureError
from shared.events import now
from shared.journal import Journal, catalogue, mapping
from shared.journal.statements import insert_all_new
from shared.picture.decode import decode
from shared.runtime.outbox import Outbox, announce
from shared.stop import Stop
from tests.chaos.power import ROOT
from tests.support.fakes import eventually
from tests.support.making import Clock, analyzed, core, picture, taken
from tests.support.pictures import damaged, jpeg


@dataclass(frozen=True, slots=True)
class Outcome:
    """``twice`` are effects."""

    acknowledged: int
    lost: int
    twice: int = 0


World = Callable[[Path, bool], Outcome]
"""Plays in a folder, with or without the safeguard."""


def acknowledged_after_the_commit(folder: Path, broken: bool) -> Outcome:
    """A process that dies between storing a picture and recording it."""
    url = f"sqlite:///{folder}/journal.db"
    command = [sys.executable, "-m", "tests.chaos.power_writer", "--store", str(folder / "store")]
    command += ["--journal", url, "--control", "ack-before-commit" if broken else ""]
    env = os.environ | {"FAILPOINT": "intake.stored:20:kill"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, timeout=60, check=False)
    lines = done.stdout.decode().split()[::2]
    spooled = " ".join(path.read_text() for path in folder.glob("store/spool/*.json"))
    with contextlib.closing(Journal.open(url)) as journal:
        found = {row.sha256 for row in journal.audit.catalogue()}
    lost = [sha256 for sha256 in lines if sha256 not in found and sha256 not in spooled]
    return Outcome(len(lines), len(lost))


def one_snapshot_per_key(folder: Path, broken: bool) -> Outcome:
    """A sender that hears no answer and sends again (unique dedupe key)."""
    here = core(folder)
    with contextlib.closing(here.journal), _without_unique_keys(broken):
        for _ in range(5):
            here.arrive(picture(1), key="the sender's own")
        return Outcome(5, 0, twice=here.journal.audit.count() - 1)


def one_effect_per_event(folder: Path, broken: bool) -> Outcome:
    """An event whose work is done by three processes (unique ids of events)."""
    here, first = core(folder), taken(1)
    here.journal.append([first])
    with contextlib.closing(here.journal) as journal, _without_unique_keys(broken):
        for _ in range(3):
            journal.finish("detector", first, [analyzed(first, "cat")])
        topics = [each.event.topic for each in journal.read.latest_events(100)]
        return Outcome(1, 0, twice=topics.count("snapshot.analyzed") - 1)


@contextlib.contextmanager
def _without_unique_keys(broken: bool) -> Iterator[None]:

    def insert_keyless(connection: Any, table: Any, rows: Sequence[Mapping[str, Any]]) -> Any:
        keyless = [{**row, "dedupe_key": uuid.uuid4().hex} for row in rows]
        return insert_all_new(connection, table, keyless)

    def insert_all_anyway(connection: Any, table: Any, rows: Sequence[Mapping[str, Any]]) -> Any:
        # What the service was given is known; what it says is new each time.
        known = [row for row in rows if row.get("published_at")]
        said = [row for row in rows if not row.get("published_at")]
        insert_all_new(connection, table, [{**row, "id": uuid.uuid4().hex} for row in said])
        return insert_all_new(connection, table, known) | {row["id"] for row in said}

    with contextlib.ExitStack() as patches:
        if broken:
            patches.enter_context(mock.patch.object(catalogue, "insert_all_new", insert_keyless))
            patches.enter_context(mock.patch.object(mapping, "insert_all_new", insert_all_anyway))
        yield


class _Away(LocalBroker):
    """A broker that refuses at first, as one that is restarted."""

    away = True

    def publish(self, message: Message) -> None:
        super().publish(replace(message, queue="away") if self.away else message)


class _Hasty(Bus):
    """A bus that takes handing over for having been confirmed."""

    def _obey(self, sender: bytes, frames: Sequence[bytes]) -> None:
        super()._obey(sender, frames)
        if frames[0] == b"publish":
            self.on_confirmed(frames[1].decode())


def marked_after_the_confirm(folder: Path, broken: bool) -> Outcome:
    """Events whose publishing the broker refused, and one that listens outside Snapbus."""
    return _published_later(folder, _Hasty if broken else Bus, reconciles=True)


def reconciled(folder: Path, broken: bool) -> Outcome:
    """The same, with nobody who looks for what was not published."""
    return _published_later(folder, Bus, reconciles=not broken)


def _published_later(folder: Path, bus_type: type[Bus], *, reconciles: bool) -> Outcome:
    here, broker, relay, stop = core(folder), _Away(), Relay(), Stop()
    broker.consume("listener", ["snapshot.taken"], 100)
    bus = bus_type(broker, relay, {})
    outbox = Outbox(relay, here.journal, stop)
    parts = replace(here.parts, announce=lambda happened: announce(relay.end(), happened))
    for thread in (bus, outbox):
        thread.start()
    ids = [here.arrive(picture(number)).snapshot_id for number in range(5)]
    parts.announce(here.told)
    eventually(lambda: bus.refused == len(ids))
    later = Clock(now() + timedelta(minutes=1))
    if bus_type is _Hasty:  # what it has said of them is in the journal
        eventually(lambda: not here.journal.recovery.unpublished(later(), 1))
    broker.away = False
    if reconciles:
        Reconciler(parts, at_once=False, clock=later).reconcile()
    heard = _heard(broker, len(ids))
    bus.stop()
    bus.join(10)
    stop.set()
    outbox.join(10)
    relay.end().close()
    relay.close()
    here.journal.close()
    return Outcome(len(ids), len(ids) - heard)


def _heard(broker: LocalBroker, expected: int) -> int:
    queue = broker._queues["listener"]
    with contextlib.suppress(AssertionError):
        eventually(lambda: len(queue.waiting) + len(queue.unacknowledged) >= expected, timeout=2)
    return len(queue.waiting) + len(queue.unacknowledged)


def read_again(folder: Path, broken: bool) -> Outcome:
    """Files of which no file event told, as of a network share or before the start (rescan)."""
    root = folder / "in"
    root.mkdir()
    for number in range(5):
        path = root / f"{number}.jpg"
        path.write_bytes(picture(number))
        os.utime(path, (0, 0))
    tree = {
        "cameras": {"porch": {"folder": {"path": str(root)}}},
        "folders": {"settle_s": 0.1, "rescan_s": 0.2},
    }
    here, stop = core(folder, tree), threading.Event()
    (source,) = build_door(here.parts).sources
    blind = mock.patch.object(Importer, "scan", return_value=False)
    with contextlib.closing(here.journal), blind if broken else contextlib.nullcontext():
        thread = threading.Thread(target=source.run, args=(stop,), daemon=True)
        thread.start()
        with contextlib.suppress(AssertionError):
            eventually(lambda: here.journal.audit.count() == 5, timeout=2 if broken else 20)
        stop.set()
        thread.join(10)
        return Outcome(5, 5 - here.journal.audit.count())


def decoded_to_the_end(_folder: Path, broken: bool) -> Outcome:
    """Damaged pictures that are taken for sound ones (Pillow's ``verify`` looks at the start)."""
    passed = []
    for name, data in damaged(jpeg()).items():
        try:
            if broken:
                Image.open(io.BytesIO(data), formats=["JPEG"]).verify()
            else:
                decode(data)
            passed.append(name)
        except (PictureError, OSError):
            continue
    return Outcome(len(damaged(jpeg())), len(passed))


WORLDS: dict[str, World] = {
    "ack before commit": acknowledged_after_the_commit,
    "no unique dedupe key": one_snapshot_per_key,
    "no unique event id": one_effect_per_event,
    "published before confirm": marked_after_the_confirm,
    "no reconciler": reconciled,
    "no rescan of the folder": read_again,
    "Pillow verify() only": decoded_to_the_end,
}
"""By the name of the control: what is played without its safeguard."""
