"""A model of the delivery: whatever happens in whatever order, the invariants hold after each step.

Hypothesis chooses: uploads, repetitions, crashes at failpoints, deliveries in any order and twice,
lost confirms, restarts, clock jumps, full disks, a database that is away. What fails is shrunk to
the shortest story. SNAPBUS_MODEL_STEPS asks for more than the few hundred steps of every day.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

import services.camera.app
import services.camera.line
import shared.intake
from shared import failpoint
from shared.doctor import Doctor
from shared.doctor.rows import examine_rows
from shared.errors import JournalUnavailable, PictureError, StoreError
from shared.intake import REPEAT_WINDOW, Arrival
from shared.journal import Journal
from shared.reference import failpoints
from shared.spool import Spool
from tests.making import Clock, picture
from tests.world import Crash, World

STEPS = int(os.environ.get("SNAPBUS_MODEL_STEPS", "400"))
STORY = 40
PATIENT_S = 1e9
"""The doctor waits so long for what is only unfinished; in the end nothing may be."""
ELSEWHERE = ("bus.", "ftp.", "folder.", "runtime.", "drive.prepared")
POINTS = [name for name in failpoints() if not name.startswith(ELSEWHERE)]
FULL = [name for name in POINTS if name.startswith(("store.", "spool.", "drive."))]
AT_DOORS = [name for name in POINTS if name.startswith(("store.", "intake.", "journal."))]
AT_WORK = [name for name in POINTS if name.startswith(("worker.", "drive.", "journal."))]
RANKS = {"taken": 0, "analyzed": 1, "archived": 2}
NUMBERS = st.integers(0, 4)


def die(_pid: int, _signal: int) -> None:
    raise Crash


class Delivery(RuleBasedStateMachine):
    """What may happen, and what must hold."""

    template: Path

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="snapbus-model-"))
        self.patches = pytest.MonkeyPatch()
        self.clock = Clock()
        self.latest = self.clock()
        for module in (shared.intake, services.camera.app, services.camera.line):
            self.patches.setattr(module, "now", self.clock)
        self.patches.setattr(shared.intake, "JOURNAL_RETRY_S", 0.0)
        self.patches.setattr(
            failpoint,
            "os",
            SimpleNamespace(kill=die, getpid=os.getpid, strerror=os.strerror),
        )
        self.world = World(self.folder, self.template, self.clock)
        self.acknowledged: Counter[str] = Counter()
        self.unsure: set[str] = set()  # sent, and never refused nor acknowledged alone
        self.ranks: dict[str, int] = {}
        self.steady = True  # the clock went forward only, and no picture waited in the spool

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.heal()
        finally:
            failpoint.arm("")
            self.world.journal.close()
            self.patches.undo()
            shutil.rmtree(self.folder)

    def during(self, act: Any) -> Any:
        """Do something a process does; when it crashes, it starts again."""
        try:
            return act()
        except (JournalUnavailable, StoreError):
            return None
        except (Crash, OSError):  # an error that nobody expects ends its process
            self.world.crash()
            return None

    # What may happen.

    @rule(number=NUMBERS, named=st.booleans())
    def upload_a_cut_one(self, number: int, named: bool) -> None:
        self.upload(number, cut=True, named=named)

    @rule(number=NUMBERS, named=st.booleans())
    def upload(self, number: int, named: bool, cut: bool = False) -> None:
        data = picture(number)
        if cut:
            data = data[:-1]
        digest = sha256(data).hexdigest()
        arrival = Arrival("porch", "ftp", name=f"{number}.jpg" if named else "")

        def accept() -> bool:
            part = self.world.intake.receive()
            try:
                part.write(data)
                self.world.intake.accept(part, arrival)
            except (PictureError, StoreError):
                return False
            except BaseException:
                self.unsure.add(digest)
                raise
            finally:
                part.discard()
            return True

        if self.during(accept):
            assert not cut
            self.acknowledged[digest] += 1
            self.steady = self.steady and named and not self.world.away
        elif self.world.away:
            self.steady = False

    @rule(point=st.sampled_from(POINTS), hit=st.integers(1, 2))
    def arm_a_crash(self, point: str, hit: int) -> None:
        failpoint.arm(f"{point}:{hit}:kill")

    @rule(point=st.sampled_from(FULL), error=st.sampled_from(["ENOSPC", "EIO"]))
    def arm_a_bad_disk(self, point: str, error: str) -> None:
        failpoint.arm(f"{point}:1:raise={error}")

    @rule(then=st.sampled_from(["marked", "marked", "confirmed", "cut"]), number=st.integers(1, 5))
    def broker_takes(self, then: str, number: int) -> None:
        for _ in range(number):
            self.world.post.take(confirm=then != "cut")
        if then == "marked":
            self.outbox_marks()

    @rule()
    def publish_is_refused(self) -> None:
        self.world.post.outgoing[:1] = []

    @rule()
    def outbox_marks(self) -> None:
        self.during(self.world.mark)

    @precondition(lambda self: self.world.post.letters)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        letters = self.world.post.letters
        letter = letters[data.draw(st.integers(0, len(letters) - 1))]
        self.during(lambda: self.world.deliver(letter))

    @rule(point=st.sampled_from(AT_DOORS), number=NUMBERS)
    def crash_while_uploading(self, point: str, number: int) -> None:
        failpoint.arm(f"{point}:1:kill")
        self.upload(number, named=True)

    @precondition(lambda self: self.world.post.letters)
    @rule(point=st.sampled_from(AT_WORK), data=st.data())
    def crash_while_delivering(self, point: str, data: st.DataObject) -> None:
        self.outbox_marks()
        failpoint.arm(f"{point}:1:kill")
        self.deliver(data)

    @precondition(lambda self: self.world.post.letters)
    @rule()
    def deliver_one_twice(self) -> None:
        letters = self.world.post.letters
        letters.append(letters[0])

    @rule()
    def broker_loses_all(self) -> None:
        self.world.post.letters.clear()

    @rule()
    def restart(self) -> None:
        self.world.crash()

    @rule()
    def reconcile(self) -> None:
        self.during(self.world.reconcile)

    @rule()
    def ask_by_the_clock(self) -> None:
        self.during(self.world.intervals.ask)

    @rule(seconds=st.sampled_from([1, 6, 31, 400, 1000, 7200, -1, -400, -4000]))
    def clock_jumps(self, seconds: int) -> None:
        self.steady = self.steady and seconds > 0
        self.clock.forward(seconds)
        self.latest = max(self.latest, self.clock())

    @rule()
    def database_goes_or_comes(self) -> None:
        self.world.set_away(not self.world.away)

    # What must hold.

    @invariant()
    def all_agree(self) -> None:
        if hasattr(self, "world"):
            with self.world.seen():
                self.check()

    def check(self) -> None:
        world = self.world
        doctor = Doctor(
            world.store, world.journal, world.archive, level="hashes", grace_s=PATIENT_S
        )
        assert list(doctor.examine()) == []  # I2, I3, I4, I7, I8, I9, I10
        with world.database.reading() as link:
            query = "select id, sha256, state, received_at, name from snapshots"
            rows = link.execute(text(query)).all()
            events = link.execute(text("select id, topic, cause, published_at from events")).all()
        spooled = {str(each.taken.data["sha256"]) for each in Spool(world.store)}
        kept = {row.sha256 for row in rows} | spooled
        assert set(self.acknowledged) <= kept, "I1"
        still = sha256(picture(99)).hexdigest()
        assert kept - {still} <= set(self.acknowledged) | self.unsure, "I14"
        assert {row.id for row in events if row.published_at} <= world.post.confirmed, "I5"
        causes = Counter(row.cause for row in events if row.topic == "snapshot.taken" and row.cause)
        assert not causes or max(causes.values()) == 1, "I12"
        files = Counter(path.stem.rpartition("_")[2] for path in world.archive.rglob("*.jpg"))
        assert not files or max(files.values()) == 1, "I9"
        for row in rows:
            assert RANKS[row.state] >= self.ranks.get(row.id, 0), "I10"
            self.ranks[row.id] = RANKS[row.state]
        if self.steady:
            self.check_repetitions([row for row in rows if row.name])

    def check_repetitions(self, rows: Sequence[Any]) -> None:
        last: dict[str, datetime] = {}
        for row in sorted(rows, key=lambda row: str(row.received_at)):
            at = datetime.fromisoformat(str(row.received_at))
            before = last.get(row.sha256)
            if row.sha256 != sha256(picture(99)).hexdigest():
                assert before is None or at - before > REPEAT_WINDOW - timedelta(seconds=1), "I1"
            last[row.sha256] = at

    def heal(self) -> None:
        """All faults stop: then everything acknowledged gets to its end (I6)."""
        world = self.world
        failpoint.arm("")
        world.set_away(False)
        world.crash()  # a volume that was marked as bad is used again by a new process only
        # What was done by a clock that ran ahead is looked at again when the time has come.
        self.clock.time = self.latest
        quiet = 0
        for _ in range(50):
            world.journal.recovery.replay()
            while world.post.outgoing or world.post.letters:
                while world.post.outgoing:
                    world.post.take(confirm=True)
                world.mark()
                for letter in list(world.post.letters):
                    world.deliver(letter)
            self.clock.forward(4000)
            world.reconcile()
            busy = world.post.outgoing or world.post.letters or len(Spool(world.store))
            quiet = 0 if busy else quiet + 1
            if quiet == 3:
                break
        self.check()
        assert list(examine_rows(world.journal, grace_s=0.0)) == []
        with world.database.reading() as link:
            states = Counter(link.execute(text("select state from snapshots")).scalars())
        assert set(states) <= {"archived"}, f"I6: {states}"


@pytest.mark.promise("inv I1", "inv I2", "inv I4", "inv I5", "inv I6", "inv I7", "inv I8")
@pytest.mark.promise("inv I9", "inv I10", "inv I12", "inv I14", "inv I18", "fault P1", "fault D5")
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("unlogged")
def test_whatever_happens_in_whatever_order_the_invariants_hold(tmp_path: Path):
    Journal.open(f"sqlite:///{tmp_path}/template.db").close()
    Delivery.template = tmp_path / "template.db"

    run_state_machine_as_test(
        Delivery,
        settings=settings(
            max_examples=max(1, STEPS // STORY),
            stateful_step_count=STORY,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
