"""Pictures are kept and filed in S3 once and whole, though requests fail and processes die."""

from __future__ import annotations

import hashlib
import random
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from shared.admin.doctor import Doctor
from shared.store import open_store
from tests.chaos.account import is_drained, journal_of
from tests.chaos.feeds import PASSWORD, Pictures
from tests.chaos.nursery import Forked, Nursery
from tests.chaos.storm import DatedFeed
from tests.support.moto import KEY, KEY_ID
from tests.support.s3peer import refusal
from tests.support.s3rig import Pail
from tests.support.system import System

SEED = 20261122
POINTS = (
    "store.s3_before_put", "store.s3_confirmed", "drive.checked", "intake.stored",
    "intake.before_record", "intake.after_record", "worker.handled", "worker.committed",
)  # fmt: skip
FAULTS = (
    "reset", "close", "lost", "half", "garbage", "damage", "flip", "cut", "deaf",
    refusal(503, "SlowDown"), refusal(500, "InternalError"), refusal(403, "RequestTimeTooSkewed"),
)  # fmt: skip


def tree(pail: Pail) -> dict[str, Any]:
    place = {"bucket": pail.name}
    return {
        "aws": {
            "endpoint": pail.peer.url, "access_key_id": KEY_ID, "secret_access_key": KEY,
            "request_s": 5.0,
        },
        "store": {"s3": {**place, "prefix": "store", "cache_bytes": 20_000}},
        "drive": {"archive": "s3", "timezone": "UTC", "s3": {**place, "prefix": "archive"}},
        "cameras": {"porch": {"ftp": {"password": PASSWORD, "timezone": "UTC"}}},
        "scheduler": {"reconcile_s": 0.3, "grace_s": 2.0},
        "work": {"first_retry_s": 0.3, "stop_grace_s": 2.0},
        "intake": {"reserve_fraction": 0.0},
    }  # fmt: skip


def play(system: System, feed: DatedFeed, kills: int, patience_s: float) -> int:
    """Until all is in and filed, killing the process so often; returns how often it died."""
    chance, died, deadline = random.Random(SEED), 0, time.monotonic() + patience_s
    feed.start()
    while feed.is_alive() or not is_drained(system, feed):
        assert time.monotonic() < deadline, system.log("allinone")[-3000:]
        if not system.running():
            point = f"{chance.choice(POINTS)}:{chance.randint(3, 12)}:kill"
            mortal = died < kills
            system.start("allinone", env={"FAILPOINT": point} if mortal else {}, wait=False)
            died += mortal
        time.sleep(0.1)
    feed.join()
    return died


@pytest.mark.timeout(1200)
@pytest.mark.promise("inv I1", "inv I2", "inv I8", "inv I9", "fault G1", "fault G3", "fault G4")
@pytest.mark.parametrize(
    ("number", "kills", "rate", "patience_s"),
    [(20, 1, 0.05, 100.0), pytest.param(1000, 20, 0.1, 1000.0, marks=pytest.mark.prove)],
)
def test_what_was_acknowledged_is_kept_and_filed_once(
    tmp_path: Path, number: int, kills: int, rate: float, patience_s: float
):
    with (
        closing(Nursery()) as nursery,
        closing(Pail()) as pail,
        closing(Forked(tmp_path, tree(pail), nursery)) as system,
    ):
        pail.peer.storm(rate, SEED, *FAULTS)
        feed = DatedFeed(number, system.ftp_port, Pictures(SEED))
        died = play(system, feed, kills, patience_s)
        system.stop("allinone")
        pail.peer.heal()

        held = pail.held()
        kept = {key[-64:]: pail.content(key) for key in held if key.startswith("store/blobs/")}
        assert all(hashlib.sha256(data).hexdigest() == name for name, data in kept.items())
        filed = {key: pail.content(key) for key in held if key.endswith(".jpg")}
        hashes = Counter(hashlib.sha256(data).hexdigest() for data in filed.values())
        assert len(feed.acknowledged) == number
        assert hashes == Counter(feed.acknowledged)
        assert feed.acknowledged <= set(kept)
        with closing(journal_of(system)) as journal:
            query = text(
                "select s.sha256, s.state, f.path from snapshots s "
                "join filings f on f.snapshot_id = s.id"
            )
            with journal.audit._database.reading() as link:
                rows = {tuple(row) for row in link.execute(query)}
            doctor = Doctor(open_store(system.settings), journal, {}, level="hashes", grace_s=600)
            assert list(doctor.findings()) == []
        assert rows == {
            (hashlib.sha256(data).hexdigest(), "archived", key.removeprefix("archive/"))
            for key, data in filed.items()
        }
        assert died == kills and pail.peer.happened
