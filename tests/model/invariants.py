"""What must hold of a ``World`` after every step, and at its end when all faults have stopped."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from hashlib import sha256
from itertools import pairwise

from sqlalchemy import text

from shared.admin.doctor import Doctor
from shared.admin.doctor.journal import examine_rows
from shared.ingest.arrival import REPEAT_WINDOW
from shared.ingest.spool import Spool
from tests.model.world import World
from tests.support.making import picture

PATIENT_S = 1e9
"""The doctor waits so long for what is only unfinished; in the end nothing may be."""
RANKS = {"taken": 0, "analyzed": 1, "archived": 2}
STILL = sha256(picture(99)).hexdigest()
"""What the world's own camera shows; all else was uploaded."""


_RESULTS = """
select id, (select count(*) from analyses where snapshot_id = id),
  (select count(*) from filings where snapshot_id = id and state = 'archived')
from snapshots
"""


class Invariants:
    """Compares a world with what its senders were told. ``acknowledged`` and ``unsure`` are hashes
    of pictures; unsure are those whose sender heard nothing."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.acknowledged: set[str] = set()
        self.unsure: set[str] = set()
        self._ranks: dict[str, int] = {}

    def check(self) -> None:
        """After every step."""
        world = self.world
        assert world.wrong == [], "I8"
        doctor = Doctor(
            world.store, world.journal, world.archives, level="hashes", grace_s=PATIENT_S
        )
        assert list(doctor.findings()) == []  # I2, I3, I4, I7, I8, I9, I10
        with world.database.reading() as link:
            query = "select id, sha256, state, received_at, name from snapshots"
            rows = link.execute(text(query)).all()
            events = link.execute(text("select id, topic, cause, published_at from events")).all()
        spooled = {str(each.taken.data["sha256"]) for each in Spool(world.store)}
        kept = {row.sha256 for row in rows} | spooled
        assert self.acknowledged <= kept, "I1"
        assert kept - {STILL} <= self.acknowledged | self.unsure, "I14"
        assert {row.id for row in events if row.published_at} <= world.post.confirmed, "I5"
        causes = Counter(row.cause for row in events if row.topic == "snapshot.taken" and row.cause)
        assert not causes or max(causes.values()) == 1, "I12"
        for archive in world.archives.values():
            files = Counter(path.stem.rpartition("_")[2] for path in archive.rglob("*.jpg"))
            assert not files or max(files.values()) == 1, "I9"
        for row in rows:
            assert RANKS[row.state] >= self._ranks.get(row.id, 0), "I10"
            self._ranks[row.id] = RANKS[row.state]
        times = defaultdict(list)
        for row in rows:
            if row.name and row.sha256 != STILL:  # that one is asked for, by requests of their own
                times[row.sha256].append(datetime.fromisoformat(str(row.received_at)))
        for received in times.values():
            for before, after in pairwise(sorted(received)):
                assert after - before > REPEAT_WINDOW, "I1"

    def check_the_end(self) -> None:
        """When all faults have stopped for long enough (I6)."""
        self.check()
        assert len(Spool(self.world.store)) == 0, "I6"
        assert list(examine_rows(self.world.journal, grace_s=0.0)) == []
        with self.world.database.reading() as link:
            states = Counter(link.execute(text("select state from snapshots")).scalars())
            results = link.execute(text(_RESULTS)).all()
        assert set(states) <= {"archived"}, f"I6: {states}"
        assert {tuple(row[1:]) for row in results} <= {(2, 2)}, f"I7, I9: {results}"
