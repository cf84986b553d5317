"""The way of every paid call: what is remembered first, then the cool-down, then the budgets."""

from __future__ import annotations

import json
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.errors import JournalUnavailable
from shared.events import now as utc_now
from shared.failpoint import reach
from shared.journal import Journal
from shared.journal.owned import Change
from shared.paid.ledger import MICROS, Ledger, Refused
from shared.paid.tables import SCENES, Reservation, Scene
from shared.picture.likeness import Likeness
from shared.settings.paid import PaidSection, ThriftSection

log = logging.getLogger(__name__)

COOL_DOWN = "cool-down"


class NotBilled(Exception):
    """What a call raises, with a cause, that is known to cost nothing; all else may have cost."""


@dataclass(frozen=True, slots=True)
class Call:
    """What would be asked. ``likeness`` is that of the picture."""

    camera: str
    organisation: str
    snapshot_id: str
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Answer:
    """``data`` is what the engine said; of another snapshot that looks alike, unless ``bought``."""

    data: Mapping[str, Any]
    snapshot_id: str
    bought: bool


class Purchase:
    """One call's way to its answer: it may take several tries, each of which is paid."""

    def __init__(self, ledger: Ledger, reserve: Callable[[], Reservation]) -> None:
        self._ledger = ledger
        self._reserve = reserve
        self.made: Reservation | None = None

    @contextmanager
    def paying(self) -> Iterator[None]:
        """Around one request: reserved before it, and free again only when it raised NotBilled.
        Raises Refused, and the cause of NotBilled."""
        reservation = self._reserve()
        reach("paid.reserved")
        try:
            yield
        except NotBilled as error:
            self._ledger.release(reservation)
            raise error.__cause__ or error from None
        self.made = reservation
        reach("paid.made")


class Governor:
    """The one place that calls of an ``engine`` pass. Any thread; raises JournalUnavailable."""

    def __init__(
        self,
        engine: str,
        journal: Journal,
        budgets: PaidSection,
        thrift: ThriftSection,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.engine = engine
        self.ledger = Ledger(journal, budgets, clock)
        self._currency = budgets.currency
        self._limits = budgets.of_engine(engine)
        self._thrift = thrift
        self._scenes = journal.owned(SCENES)
        self._now = clock
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()
        self._counts = {"bought": 0, "remembered": 0, "budget": 0, COOL_DOWN: 0}

    def ask(self, call: Call, buy: Callable[[Purchase], Mapping[str, Any]]) -> Answer:
        """The answer to a picture: one that is remembered, or what ``buy`` returns, which makes
        each of its requests within ``paying``. Raises Refused, and what ``buy`` raises."""
        # Pictures of a camera come in rows: the second waits for the answer to the first.
        with self._lock:
            turn = self._turns[call.camera]
        try:
            with turn:
                answer = self._ask(call, buy)
        except Refused as error:
            self._count(error.reason)
            log.info(
                "a picture of %s is not sent to %s: %s: %s",
                call.camera, self.engine, error.reason, error,
                extra={"action": "not_paid", "camera": call.camera},
            )  # fmt: skip
            raise
        self._count("bought" if answer.bought else "remembered")
        return answer

    def _ask(self, call: Call, buy: Callable[[Purchase], Mapping[str, Any]]) -> Answer:
        known = self._scenes.all(engine=self.engine, camera=call.camera)
        if found := self._remembered(call, known):
            return found
        self._cool_down(known)
        micros = round(self._thrift.price * MICROS)
        purchase = Purchase(
            self.ledger,
            lambda: self.ledger.reserve(self.engine, call.camera, call.organisation, micros),
        )
        data = buy(purchase)
        if purchase.made is None:
            raise RuntimeError("an answer that was not paid for")
        self.ledger.settle(purchase.made, self._remember(call, data, known))
        return Answer(data, call.snapshot_id, bought=True)

    def _remembered(self, call: Call, known: list[Scene]) -> Answer | None:
        oldest = self._now() - timedelta(seconds=self._thrift.remember_s)
        likely = []
        for scene in known:
            if scene.snapshot_id == call.snapshot_id:  # asked before, and the process ended
                return Answer(json.loads(scene.answer), scene.snapshot_id, bought=False)
            if scene.at >= oldest and (seen := Likeness.read(scene.likeness)):
                likely.append(
                    (call.likeness.difference(seen, self._thrift.edge), scene.snapshot_id, scene)
                )
        if self._thrift.scenes and likely:
            difference, _, scene = min(likely, key=lambda each: each[:2])
            if difference <= self._thrift.alike:
                return Answer(json.loads(scene.answer), scene.snapshot_id, bought=False)
        return None

    def _cool_down(self, known: list[Scene]) -> None:
        if not (known and self._thrift.cooldown_s):
            return
        since = (self._now() - max(each.at for each in known)).total_seconds()
        # A clock that was put back must not mean a pause until it is where it was.
        if 0 <= since < self._thrift.cooldown_s:
            raise Refused(COOL_DOWN, f"the last call was {since:.0f} s ago")

    def _remember(self, call: Call, data: Mapping[str, Any], known: list[Scene]) -> list[Change]:
        at, text = self._now(), json.dumps(data)
        made = Scene(self.engine, call.camera, call.snapshot_id, str(call.likeness), text, at)
        kept = max(1, self._thrift.scenes) - 1
        rest = sorted(known, key=lambda each: each.at, reverse=True)[kept:]
        return [SCENES.put(made), *map(SCENES.remove, rest)]

    def _count(self, what: str) -> None:
        with self._lock:
            self._counts[what] = self._counts.get(what, 0) + 1

    def today(self) -> float:
        """What was spent today."""
        return self.ledger.spent(self.engine)["day"].micros / MICROS

    def about(self) -> dict[str, Any]:
        """What was spent, and what is left, for health and the page."""
        with self._lock:
            counts = dict(self._counts)
        periods: dict[str, Any] = {}
        told: dict[str, Any] = {
            "currency": self._currency,
            "since_start": counts,
            "periods": periods,
        }
        try:
            for word, row in self.ledger.spent(self.engine).items():
                limit = {"day": self._limits.daily, "month": self._limits.monthly}.get(word)
                periods[word] = {
                    "calls": row.calls,
                    "money": row.micros / MICROS,
                    "budget": limit,
                    "refused": row.refused,
                }
            told["open"] = len(self.ledger.open(self.engine))
        except JournalUnavailable:
            pass  # who reads this asks the journal, too
        return told
