"""Keeps what was received, and knows a sender's idempotency key again: one key is one picture."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from services.api.problems import Problem
from shared.errors import JournalUnavailable
from shared.ingest.arrival import Arrival
from shared.ingest.intake import Accepted, Intake
from shared.journal.catalogue import Holder
from shared.store import Part


@dataclass(frozen=True, slots=True, eq=False)
class Received:
    """A picture of which all bytes are there, and what is known of it."""

    part: Part
    arrival: Arrival


class Keep:
    """Any thread; blocks."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._lock = threading.Lock()
        self._storing: Counter[tuple[str, str, str]] = Counter()
        """Camera, key and hash of the pictures with a key that are being stored."""

    def all(self, batch: Sequence[Received]) -> list[Accepted | Exception]:
        """Store these together; what became of each. A key that came before with the same bytes is
        answered as then; with others it is a Problem, and nothing is kept of them."""
        mine = self._claim(batch)
        try:
            stored = iter(self._all([each for each in batch if each in mine]))
            return [next(stored) if each in mine else _in_use() for each in batch]
        finally:
            self._release(mine)
            for each in batch:
                each.part.discard()  # does nothing to what was accepted

    def _claim(self, batch: Sequence[Received]) -> list[Received]:
        """Those whose key is not of another picture that is being stored now: of two that are in
        the store, the journal takes one, and the other's file would belong to nobody."""
        mine = []
        with self._lock:
            for each in batch:
                camera, key, sha256 = _named(each)
                others = (its for its in self._storing if its[:2] == (camera, key))
                if key and any(its[2] != sha256 for its in others):
                    continue
                mine.append(each)
                if key:
                    self._storing[camera, key, sha256] += 1
        return mine

    def _release(self, mine: Sequence[Received]) -> None:
        with self._lock:
            self._storing -= Counter(_named(each) for each in mine if each.arrival.key)

    def _all(self, batch: Sequence[Received]) -> list[Accepted | Exception]:
        try:
            known = self._known(batch)
        except JournalUnavailable:
            known = [None] * len(batch)  # nobody can tell; the intake spools them
        new = [each for each, found in zip(batch, known, strict=True) if found is None]
        accepted = iter(self._checked(new))
        return [found or next(accepted) for found in known]

    def _checked(self, new: Sequence[Received]) -> list[Accepted | Exception]:
        """Accept these. Others with the same keys may have been faster."""
        outcomes = self._intake.accept_all([(each.part, each.arrival) for each in new])
        late = [
            index
            for index, outcome in enumerate(outcomes)
            if isinstance(outcome, Accepted) and outcome.duplicate and new[index].arrival.key
        ]
        if not late:
            return outcomes
        found: Sequence[Accepted | Exception | None]
        try:
            found = self._known([new[index] for index in late])
        except JournalUnavailable as error:
            found = [error] * len(late)  # perhaps of other bytes: not to be called safe
        for index, answer in zip(late, found, strict=True):
            outcomes[index] = answer or outcomes[index]
        return outcomes

    def _known(self, batch: Sequence[Received]) -> list[Accepted | Exception | None]:
        """What came before under the key of each. Raises JournalUnavailable."""
        holders = self._intake.holders([(each.part, each.arrival) for each in batch])
        return [
            _answer(holder, each.part.sha256) if holder else None
            for each, holder in zip(batch, holders, strict=True)
        ]


def _named(received: Received) -> tuple[str, str, str]:
    return received.arrival.camera, received.arrival.key, received.part.sha256


def _in_use() -> Problem:
    return Problem(
        422,
        "key-reused",
        "This Idempotency-Key was sent with another picture, which is being stored now. Give each "
        "picture a key of its own.",
    )


def _answer(holder: Holder, sha256: str) -> Accepted | Exception:
    if holder.sha256 == sha256:
        return Accepted(holder.id, duplicate=True)
    return Problem(
        422,
        "key-reused",
        "This Idempotency-Key was sent with another picture before, "
        f"snapshot {holder.id}. Give each picture a key of its own.",
    )
