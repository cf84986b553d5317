"""Cataloguing stored pictures: a row and an event for each, in few statements for many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, and_, bindparam, insert, or_, select

from shared.events import Event
from shared.failpoint import reach
from shared.journal.mapping import as_row
from shared.journal.schema import UtcTime, events, snapshots
from shared.journal.statements import MOST_ROWS, Prepared, insert_all_new

Answer = tuple[str, bool]
"""The id of a snapshot, and whether it was known already."""
Key = tuple[str, str]
"""An organisation, and a dedupe key in it."""

_KEYS = 3
_INSERT_EVENT = Prepared(
    lambda _dialect: insert(events).values(
        {column.name: bindparam(column.name) for column in events.c if column.name != "seq"}
    )
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored picture that is new unless one of its keys is known: the first one at any time, the
    others since ``repeats_since`` or up to as long after it was received."""

    taken: Event
    keys: tuple[str, ...]
    repeats_since: datetime


@dataclass(frozen=True, slots=True)
class Holder:
    """The snapshot that has a dedupe key."""

    id: str
    sha256: str


def record_snapshots(
    connection: Connection, candidates: Sequence[Candidate], now: datetime
) -> list[Answer]:
    """Catalogue those that are new; says of each what it is."""
    answers: list[Answer] = []
    for begin in range(0, len(candidates), MOST_ROWS):
        answers += _record_some(connection, candidates[begin : begin + MOST_ROWS], now)
    return answers


def _record_some(
    connection: Connection, candidates: Sequence[Candidate], now: datetime
) -> list[Answer]:
    known = _known(connection, candidates)
    first: dict[tuple[str, str], str] = {}
    ids: list[str] = []  # of each candidate, unless its key turns out to be taken
    new: dict[str, Candidate] = {}
    for candidate in candidates:
        organisation = candidate.taken.organisation
        keys = [(organisation, key) for key in candidate.keys]
        found = next((each[key] for key in keys for each in (known, first) if key in each), None)
        if found is None:
            found = first[keys[0]] = str(candidate.taken.snapshot_id)
            new[found] = candidate
        ids.append(found)
    had = _insert(connection, new, now)
    return [
        (had.get(id, id), had.get(id, id) != candidate.taken.snapshot_id)
        for id, candidate in zip(ids, candidates, strict=True)
    ]


def _insert(connection: Connection, new: Mapping[str, Candidate], now: datetime) -> dict[str, str]:
    """Insert what is new; of the rest, returns under which id each is known."""
    if not new:
        return {}
    inserted = insert_all_new(connection, snapshots, [_as_row(each) for each in new.values()])
    reach("journal.between_row_and_event")
    rows = [as_row(new[id].taken, now) | {"published_at": None} for id in new if id in inserted]
    if rows:
        _INSERT_EVENT.run(connection, *rows)
    return {id: _holder(connection, each) for id, each in new.items() if id not in inserted}


def _holder(connection: Connection, candidate: Candidate) -> str:
    key = (candidate.taken.organisation, candidate.keys[0])
    return holders(connection, [key])[key].id


def holders(connection: Connection, keys: Sequence[Key]) -> dict[Key, Holder]:
    """Which snapshots have these dedupe keys."""
    found: dict[Key, Holder] = {}
    for begin in range(0, len(keys), MOST_ROWS):
        some = keys[begin : begin + MOST_ROWS]
        values: dict[str, str] = {}
        for index, (organisation, key) in enumerate(some):
            values |= {f"organisation_{index}": organisation, f"key_{index}": key}
        for organisation, key, id, sha256 in _select_holders(len(some)).fetch(connection, values):
            found[organisation, key] = Holder(id, sha256)
    return found


@lru_cache
def _select_holders(count: int) -> Prepared:
    theirs = or_(
        *(
            and_(
                snapshots.c.organisation == bindparam(f"organisation_{index}"),
                snapshots.c.dedupe_key == bindparam(f"key_{index}"),
            )
            for index in range(count)
        )
    )
    columns = (snapshots.c.organisation, snapshots.c.dedupe_key)
    return Prepared(
        lambda _dialect: select(*columns, snapshots.c.id, snapshots.c.sha256).where(theirs)
    )


def _known(connection: Connection, candidates: Sequence[Candidate]) -> dict[tuple[str, str], str]:
    """The ids under which keys of theirs are known."""
    # One key needs no question: inserting it is the answer.
    asking = [each for each in candidates if len(each.keys) > 1]
    if not asking:
        return {}
    values: dict[str, Any] = {}
    for index, candidate in enumerate(asking):
        received_at = datetime.fromisoformat(candidate.taken.data["received_at"])
        values |= {
            f"organisation_{index}": candidate.taken.organisation,
            f"since_{index}": candidate.repeats_since,
            # As long after it as before it: the journal may have learned of a later one first.
            f"until_{index}": received_at + (received_at - candidate.repeats_since),
        }
        keys = (*candidate.keys, *candidate.keys[-1:] * _KEYS)[:_KEYS]
        values |= {f"key_{index}_{number}": key for number, key in enumerate(keys)}
    rows: Iterable[Any] = _select_known(len(asking)).fetch(connection, values)
    return {(organisation, key): id for organisation, key, id in rows}


@lru_cache
def _select_known(count: int) -> Prepared:
    known = or_(
        *(
            and_(
                snapshots.c.organisation == bindparam(f"organisation_{index}"),
                snapshots.c.dedupe_key.in_(
                    [bindparam(f"key_{index}_{number}") for number in range(_KEYS)]
                ),
                snapshots.c.received_at.between(
                    bindparam(f"since_{index}", type_=UtcTime),
                    bindparam(f"until_{index}", type_=UtcTime),
                ),
            )
            for index in range(count)
        )
    )
    columns = (snapshots.c.organisation, snapshots.c.dedupe_key, snapshots.c.id)
    return Prepared(lambda _dialect: select(*columns).where(known))


def _as_row(candidate: Candidate) -> dict[str, Any]:
    taken = candidate.taken
    data = taken.data
    same = ("camera", "door", "sha256", "size", "media_type", "captured_by")
    times = ("captured_at", "received_at")
    return {
        "id": taken.snapshot_id,
        "organisation": taken.organisation,
        "dedupe_key": candidate.keys[0],
        "name": data.get("name", ""),
        "skew_s": data.get("skew_s"),
        "trigger": data.get("trigger", ""),
        "state": "taken",
        **{name: data[name] for name in same},
        **{name: datetime.fromisoformat(data[name]) for name in times},
    }
