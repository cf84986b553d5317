"""Keeps what was received, and knows a sender's idempotency key again: one key is one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.api.problems import Problem
from shared.errors import JournalUnavailable
from shared.ingest.arrival import Arrival
from shared.ingest.intake import Accepted, Intake
from shared.journal.catalogue import Holder
from shared.store import Part


@dataclass(frozen=True, slots=True)
class Received:
    """A picture of which all bytes are there, and what is known of it."""

    part: Part
    arrival: Arrival


class Keep:
    """Any thread; blocks."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def all(self, batch: Sequence[Received]) -> list[Accepted | Exception]:
        """Store these together; what became of each. A key that came before with the same bytes is
        answered as then; with others it is a Problem, and nothing is kept of them."""
        try:
            return self._all(batch)
        finally:
            for each in batch:
                each.part.discard()  # does nothing to what was accepted

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


def _answer(holder: Holder, sha256: str) -> Accepted | Exception:
    if holder.sha256 == sha256:
        return Accepted(holder.id, duplicate=True)
    return Problem(
        422,
        "key-reused",
        "This Idempotency-Key was sent with another picture before, "
        f"snapshot {holder.id}. Give each picture a key of its own.",
    )
