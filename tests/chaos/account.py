"""Accounts for what was acknowledged: what is lost, what happened twice, what nobody sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass, field

from sqlalchemy import text

from shared.admin.doctor import Doctor
from shared.errors import JournalUnavailable
from shared.events import (
    SnapshotAnalyzed,
    SnapshotArchived,
    SnapshotShared,
    SnapshotTaken,
)
from shared.ingest.spool import Spool
from shared.journal import Journal
from tests.chaos.feeds import Feed
from tests.support.system import System

ONCE = (SnapshotTaken.topic, SnapshotAnalyzed.topic, SnapshotArchived.topic)
_OPEN = """
    select count(*) from events e join subscriptions s on s.topic = e.topic
    left join work w on w.service = s.service and w.event_id = e.id
    where w.status is null or w.status <> 'done'
"""


@dataclass(frozen=True, slots=True)
class Books:
    """What store, journal and archive hold."""

    shas: Counter[str]
    states: dict[str, str]
    effects: Counter[tuple[str, str]]  # snapshot and topic
    answers: Counter[str]  # snapshots by the request that led to them
    asked_for: frozenset[str]  # snapshots that a request led to
    files: Counter[str]  # of the archive, by the snapshot in their name
    keys: Counter[str]
    ids_of: dict[str, str]  # the snapshot of a hash


@dataclass(slots=True)
class Account:
    """The sum of one round, or of many. Lists name the first few."""

    attempts: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.twice or self.unexpected or self.findings)


ANSWERS = (SnapshotTaken.topic, SnapshotShared.topic)
"""A picture of its own, or the one that another request at the same time got."""


def journal_of(system: System) -> Journal:
    return Journal.open(system.settings.journal_url, owner=False)


def is_drained(system: System, feed: Feed) -> bool:
    """Whether everything that was begun is finished."""
    try:
        with closing(journal_of(system)) as journal, journal.audit._database.reading() as link:
            waiting = link.execute(
                text("select count(*) from events where published_at is null")
            ).scalar_one()
            if waiting or link.execute(text(_OPEN)).scalar_one() or len(Spool(system.store)):
                return False
            if feed.by_request:
                found = link.execute(
                    text("select cause from events where topic in (:taken, :shared)"),
                    {"taken": SnapshotTaken.topic, "shared": SnapshotShared.topic},
                )
                return feed.acknowledged <= set(found.scalars())
            return feed.acknowledged <= set(
                link.execute(text("select sha256 from snapshots")).scalars()
            )
    except JournalUnavailable:
        return False


def books(system: System) -> Books:
    """Read everything."""
    with closing(journal_of(system)) as journal, journal.audit._database.reading() as link:
        rows = link.execute(text("select id, sha256, state, dedupe_key from snapshots")).all()
        told = link.execute(text("select id, topic, snapshot_id, cause from events")).all()
    files = system.archive.rglob("*.jpg")
    return Books(
        shas=Counter(row.sha256 for row in rows),
        states={row.id: row.state for row in rows},
        effects=Counter(
            (row.snapshot_id, row.topic)
            for row in told
            if row.snapshot_id and row.topic != SnapshotShared.topic
        ),
        answers=Counter(
            cause
            for cause, _ in {(row.cause, row.snapshot_id) for row in told if row.topic in ANSWERS}
        ),
        asked_for=frozenset(
            row.snapshot_id for row in told if row.topic == SnapshotTaken.topic and row.cause
        ),
        files=Counter(path.stem.rpartition("_")[2] for path in files),
        keys=Counter(row.dedupe_key for row in rows),
        ids_of={row.sha256: row.id for row in rows},
    )


def account(system: System, feed: Feed, sent: Collection[str]) -> Account:
    """Compare what a feed was told with what there is; ``sent`` is all that was ever sent."""
    held = books(system)
    result = Account(attempts=feed.attempts, acknowledged=len(feed.acknowledged))
    for key in sorted(feed.acknowledged):
        if feed.by_request:
            if not held.answers[key]:
                result.lost.append(f"request {key}")
        elif held.states.get(held.ids_of.get(key, "")) != "archived":
            result.lost.append(f"picture {key}")
    result.twice += [f"key {key}" for key, number in held.keys.items() if number > 1]
    result.twice += [f"{topic} of {one}" for (one, topic), n in held.effects.items() if n > 1]
    result.twice += [f"answers to {one}" for one, n in held.answers.items() if one and n > 1]
    result.twice += [f"files of {one}" for one, number in held.files.items() if number > 1]
    result.unexpected += [
        f"picture {sha}"
        for sha, one in held.ids_of.items()
        if sha not in sent and one not in held.asked_for
    ]
    result.twice += [
        f"rows of {sha}" for sha, number in held.shas.items() if sha in sent and number > 1
    ]
    for one in held.states:
        missing = [topic for topic in ONCE if not held.effects[one, topic]]
        if missing or not held.files[one]:
            result.lost.append(f"{missing or 'file'} of {one}")
    result.unexpected += [f"file of {one}" for one in held.files if one not in held.states]
    with closing(journal_of(system)) as journal:
        doctor = Doctor(system.store, journal, {"folder": system.archive}, level="hashes")
        result.findings += [f"{one.invariant} {one.what}" for one in doctor.findings()]
    return result
