"""What is spent: reserved before a call in one transaction, so that nobody overspends.

A row that another worker or process changed meanwhile makes the whole reservation void, and it is
tried again on what is spent by then.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from ulid import ULID

from shared.errors import JournalUnavailable, Retry
from shared.events import now as utc_now
from shared.journal import Journal
from shared.journal.owned import Change, Stale
from shared.paid.tables import EVER, OWNER, RESERVATIONS, SPENT, Reservation, Spent
from shared.settings.paid import BudgetSection, PaidSection

log = logging.getLogger(__name__)

MICROS = 1_000_000
TRIES = 200
"""At one reservation; of those who collide one gets on each time."""
_PAUSE_S = 0.02
KEEP = timedelta(days=93)
"""Days and reservations that are older are forgotten; months and sums stay."""


class Refused(Exception):
    """The call is not made. ``reason``: budget or cool-down; the text says which."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Ledger:
    """The one writer of what is spent. Any thread; raises JournalUnavailable."""

    def __init__(
        self, journal: Journal, budgets: PaidSection, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._journal = journal
        self._budgets = budgets
        self._now = clock
        self._spent = journal.owned(SPENT)
        # One at a time in this process; others are told apart by their rows.
        self._turn = threading.Lock()
        self._swept: date | None = None

    def reserve(self, engine: str, camera: str, organisation: str, micros: int) -> Reservation:
        """Count a call as spent, in all of its budgets or in none. Raises Refused, and Retry when
        too many others do the same."""
        with self._turn:
            self._sweep()
            for _ in range(TRIES):
                at = self._now()
                made = Reservation(str(ULID()), engine, camera, organisation, micros, at)
                changes = [*self._counted(made, 1), RESERVATIONS.add(made)]
                try:
                    self._journal.change(OWNER, changes)
                    return made
                except Stale:
                    time.sleep(random.uniform(0, _PAUSE_S))  # noqa: S311  nothing secret
        raise Retry("too many calls are being reserved", after_s=2.0)

    def settle(self, reservation: Reservation, changes: Sequence[Change] = ()) -> None:
        """The call was made and is paid for; ``changes`` of our tables are committed with it."""
        self._journal.change(OWNER, [RESERVATIONS.remove(reservation), *changes])

    def release(self, reservation: Reservation) -> None:
        """The call is not charged: what it counted is free again. Where that can't be written it
        stays counted."""
        try:
            with self._turn:
                for _ in range(TRIES):
                    changes = self._counted(reservation, -1)
                    try:
                        done = RESERVATIONS.remove(reservation)
                        self._journal.change(OWNER, [*changes, done])
                        return
                    except Stale:
                        time.sleep(random.uniform(0, _PAUSE_S))  # noqa: S311  nothing secret
        except JournalUnavailable as error:
            log.warning(
                "a call that was not charged stays counted: %s", error, extra={"action": "counted"}
            )

    def spent(self, engine: str) -> dict[str, Spent]:
        """What an engine cost: today, this month, ever."""
        at = self._now()
        rows = {"day": at.date().isoformat(), "month": f"{at:%Y-%m}", "ever": EVER}
        return {word: self._row(engine, "engine", engine, period) for word, period in rows.items()}

    def open(self, engine: str) -> list[Reservation]:
        """Reservations whose end nobody told."""
        return self._journal.owned(RESERVATIONS).all(engine=engine)

    def _sweep(self) -> None:
        """Once a day."""
        day = self._now().date()
        if day != self._swept:
            self.forget()
            self._swept = day

    def forget(self) -> None:
        """Remove what is too old to count."""
        limit = self._now() - KEEP
        day = limit.date().isoformat()
        days = (each for each in self._spent.all() if len(each.period) == len(day))
        old = [SPENT.remove(each) for each in days if each.period < day]
        left = self._journal.owned(RESERVATIONS).all()
        old += [RESERVATIONS.remove(each) for each in left if each.at < limit]
        if old:
            self._journal.change(OWNER, old)

    def _counted(self, made: Reservation, sign: int) -> Iterator[Change]:
        """The changes that count a call, or no longer do. Raises Refused."""
        whose = self._budgets.budgets(made.engine, made.camera, made.organisation)
        for scope, name, budget in whose:
            for period, limit in _periods(made.at, budget):
                was = self._spent.get(made.engine, scope, name, period)
                row = was or Spent(made.engine, scope, name, period, 0, 0, 0)
                new = replace(row, micros=row.micros + sign * made.micros, calls=row.calls + sign)
                if sign > 0 and limit is not None and new.micros > round(limit * MICROS):
                    self._refuse(row, was)
                    raise Refused("budget", self._told(row, limit))
                yield SPENT.replace(was, new) if was else SPENT.add(new)

    def _told(self, row: Spent, limit: float) -> str:
        spent, most = amount(row.micros / MICROS), amount(limit)
        whose = f"{row.scope} {row.name} in {row.period}"
        return f"{spent} of {most} {self._budgets.currency} for {whose} are spent"

    def _refuse(self, row: Spent, was: Spent | None) -> None:
        new = replace(row, refused=row.refused + 1)
        try:
            self._journal.change(OWNER, [SPENT.replace(was, new) if was else SPENT.add(new)])
        except Stale:
            log.debug("one refusal is not counted", extra={"action": "refused"})

    def _row(self, engine: str, scope: str, name: str, period: str) -> Spent:
        found = self._spent.get(engine, scope, name, period)
        return found or Spent(engine, scope, name, period, 0, 0, 0)


def amount(money: float) -> str:
    """An amount in words: prices of single calls are tenths of a cent."""
    whole, _, cents = f"{money:.4f}".partition(".")
    return f"{whole}.{cents.rstrip('0').ljust(2, '0')}"


def _periods(at: datetime, budget: BudgetSection) -> Iterator[tuple[str, float | None]]:
    yield at.date().isoformat(), budget.daily
    yield f"{at:%Y-%m}", budget.monthly
    yield EVER, None
