"""A state machine of the delivery: whatever happens in whatever order, the invariants hold.

Hypothesis chooses what happens to a ``World``: uploads, repetitions, deliveries in any order and
twice, lost confirms, restarts, clock jumps; crashes at failpoints, full disks, and a database that
is away. A fault belongs to one step, at a place which that step gets to, so that few steps are
spent on nothing. Each story begins with some pictures and goes on by itself when it delivers:
Hypothesis leaves out about half of the rules of each story, so none may need another to matter.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import services.camera.camera
import services.camera.fetch
import shared.ingest.intake
from shared import failpoint
from shared.errors import JournalUnavailable, PictureError, StoreError
from shared.ingest.intake import Arrival
from shared.ingest.spool import Spool
from shared.journal import Journal
from tests.model.faults import faults
from tests.model.invariants import Invariants
from tests.model.post import Letter
from tests.model.world import EVERY_S, Crash, World
from tests.support.making import Clock, picture

NUMBERS = st.integers(0, 9)


def begin_with(folder: Path) -> None:
    """Each story begins with the empty database of this folder."""
    Journal.open(f"sqlite:///{folder}/template.db").close()
    Delivery.template = folder / "template.db"


def die(_pid: int, _signal: int) -> None:
    raise Crash


class Delivery(RuleBasedStateMachine):
    """What may happen. ``template`` is a migrated database."""

    template: Path

    @initialize(pictures=st.integers(1, 3), rounds=st.integers(0, 1))
    def begin(self, pictures: int = 1, rounds: int = 0) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="snapbus-model-"))
        self.patches = pytest.MonkeyPatch()
        self.clock = Clock()
        self.latest = self.clock()
        for module in (shared.ingest.intake, services.camera.fetch, services.camera.camera):
            self.patches.setattr(module, "now", self.clock)
        self.patches.setattr(shared.ingest.intake, "JOURNAL_RETRY_S", 0.0)
        deadly = SimpleNamespace(kill=die, getpid=os.getpid, strerror=os.strerror)
        self.patches.setattr(failpoint, "os", deadly)
        self.world = World(self.folder, self.template, self.clock)
        self.promised = Invariants(self.world)
        self.away_for = 0
        for number in range(pictures):
            self.upload(number)
        for _ in range(rounds):
            self.broker_takes("marked", 9)
            for letter in list(self.world.post.letters):
                self.hand_over(letter)

    def teardown(self) -> None:
        if not hasattr(self, "promised"):
            return
        try:
            self.heal()
        finally:
            failpoint.arm("")
            self.world.journal.close()
            self.patches.undo()
            shutil.rmtree(self.folder)

    def during(self, act: Callable[[], object], fault: str = "") -> bool:
        """Do something a process does, and say whether it did; when it crashes, it starts again."""
        self.changed = True
        failpoint.arm(fault)
        try:
            act()
            return True
        except (JournalUnavailable, PictureError, StoreError):
            return False
        except (Crash, OSError):  # an error that nobody expects ends its process
            self.world.crash()
            return False
        finally:
            failpoint.arm("")
            self.away_for -= 1
            if self.away_for <= 0:
                self.world.set_away(False)

    # What may happen.

    @rule(
        number=NUMBERS,
        named=st.booleans(),
        fault=faults("upload"),
        cut=st.sampled_from([False] * 9 + [True]),
    )
    def upload(self, number: int, named: bool = True, fault: str = "", cut: bool = False) -> None:
        data = picture(number)[:-1] if cut else picture(number)
        digest = sha256(data).hexdigest()

        def accept() -> None:
            part = self.world.intake.receive()
            try:
                part.write(data)
                arrival = Arrival("porch", "ftp", name=f"{number}.jpg" if named else "")
                self.world.intake.accept(part, arrival)
            except (PictureError, StoreError):
                raise
            except BaseException:
                self.promised.unsure.add(digest)
                raise
            finally:
                part.discard()

        if self.during(accept, fault):
            assert not cut
            self.promised.acknowledged.add(digest)

    @rule(number=NUMBERS, steps=st.integers(1, 4), fault=faults("spool"))
    def upload_without_the_database(self, number: int, steps: int = 1, fault: str = "") -> None:
        self.away_for = steps
        self.world.set_away(True)
        self.upload(number, fault=fault)

    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        self.have_letters()
        if letters := self.world.post.letters:
            letter = data.draw(st.sampled_from(letters))
            self.hand_over(letter, data.draw(faults(letter.queue)))

    @rule(data=st.data())
    def deliver_all(self, data: st.DataObject) -> None:
        self.have_letters()
        for letter in list(self.world.post.letters):
            self.hand_over(letter, data.draw(faults(letter.queue)))

    def have_letters(self) -> None:
        """Whatever it takes."""
        for bring in (lambda: None, self.reconcile, self.ask_by_the_clock):
            if not self.world.post.letters:
                bring()
                self.broker_takes("marked", 9)

    def hand_over(self, letter: Letter, fault: str = "") -> None:
        self.during(partial(self.world.deliver, letter), fault)

    @rule(
        then=st.sampled_from(["marked", "confirmed", "cut"]),
        number=st.integers(1, 5),
        fault=faults("outbox"),
    )
    def broker_takes(self, then: str, number: int, fault: str = "") -> None:
        for _ in range(number):
            self.world.post.take(confirm=then != "cut")
        if then == "marked":
            self.during(self.world.mark, fault)

    @rule()
    def publish_is_refused(self) -> None:
        self.world.post.outgoing[:1] = []
        self.during(self.world.mark)

    @rule()
    def deliver_one_twice(self) -> None:
        self.have_letters()
        for letter in self.world.post.letters[:1]:
            self.world.post.letters.append(letter)
            self.hand_over(letter)
            self.hand_over(letter)

    @rule()
    def broker_loses_all(self) -> None:
        self.broker_takes("marked", 9)
        self.world.post.letters.clear()

    @rule()
    def restart(self) -> None:
        self.during(self.world.crash)

    @rule(after=st.sampled_from([0, 6, 400, 4000]), fault=faults("reconciler"))
    def reconcile(self, after: int = 4000, fault: str = "") -> None:
        self.clock_jumps(after)
        self.during(self.world.reconcile, fault)

    @rule(fault=faults("clock"))
    def ask_by_the_clock(self, fault: str = "") -> None:
        self.clock_jumps(EVERY_S)
        self.during(self.world.intervals.ask, fault)

    @rule(seconds=st.sampled_from([1, 6, 31, 400, 1000, 7200, -1, -400, -4000]))
    def clock_jumps(self, seconds: float) -> None:
        self.clock.forward(seconds)
        self.latest = max(self.latest, self.clock())

    # What must hold.

    @invariant()
    def all_agree(self) -> None:
        if getattr(self, "changed", False):
            with self.world.seen():
                self.promised.check()
            self.changed = False

    def heal(self) -> None:
        """All faults stop: then everything acknowledged gets to its end (I6)."""
        world = self.world
        world.set_away(False)
        world.crash()  # a volume that was marked as bad is used again by a new process only
        # What was done by a clock that ran ahead is looked at again when the time has come.
        self.clock.time = self.latest
        quiet = 0
        for _ in range(20):
            world.journal.recovery.replay()
            while world.post.outgoing or world.post.letters:
                while world.post.outgoing:
                    world.post.take(confirm=True)
                world.mark()
                for letter in list(world.post.letters):
                    world.deliver(letter)
            if not quiet:
                self.promised.check()
            self.clock.forward(4000)
            world.reconcile()
            busy = world.post.outgoing or world.post.letters or len(Spool(world.store))
            quiet = 0 if busy else quiet + 1
            if quiet == 3:
                break
        self.promised.check_the_end()
