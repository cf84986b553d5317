"""Money on both databases: nobody overspends, a crash counts, what was not charged is free."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.errors import JournalUnavailable
from shared.journal import Journal
from shared.journal.owned import Change
from shared.paid import Call, Governor, NotBilled, Purchase, Refused
from shared.paid.ledger import Ledger
from shared.paid.tables import RESERVATIONS, SPENT, Reservation
from shared.picture.likeness import Likeness
from shared.settings.paid import PaidSection, ThriftSection
from tests.support.making import Clock
from tests.support.recording import in_threads
from tests.support.system import ROOT

WORKERS = 16
PRICE = 1000
NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


class Blind(Ledger):
    """The negative control: it looks at what is spent, and then writes what it makes of it."""

    def _counted(self, made: Reservation, sign: int) -> Iterator[Change]:
        for change in super()._counted(made, sign):
            yield SPENT.put(change.row)


def reserve_all(url: str, kind: type[Ledger], budget: PaidSection, tries: int = 4) -> list[str]:
    """The cameras whose calls were allowed to 16 workers who ask at once; those on PostgreSQL have
    four processes' connections."""
    allowed: list[str] = []
    with ExitStack() as stack:
        count = 1 if url.startswith("sqlite") else 4
        journals = [Journal.open(url) for _ in range(count)]
        for each in journals:
            stack.callback(each.close)
        ledgers = [kind(journals[n % count], budget, Clock(NOON)) for n in range(WORKERS)]
        together = threading.Barrier(WORKERS)

        def work(number: int) -> None:
            together.wait(30)
            for _ in range(tries):
                camera = f"camera{number % 4}"
                try:
                    ledgers[number].reserve("eye", camera, "home", PRICE)
                except Refused as error:
                    assert error.reason == "budget"
                else:
                    allowed.append(camera)

        in_threads(WORKERS, work)
    return allowed


def spent(url: str) -> dict[tuple[str, str, str], tuple[int, int]]:
    journal = Journal.open(url)
    try:
        rows = journal.owned(SPENT).all()
        return {(row.scope, row.name, row.period): (row.calls, row.micros) for row in rows}
    finally:
        journal.close()


@pytest.mark.promise("feat E29")
def test_sixteen_workers_spend_the_budget_and_not_a_cent_more(journal_url: str):
    budget = PaidSection.model_validate({"engine": {"daily": 0.025}})

    allowed = reserve_all(journal_url, Ledger, budget)

    assert len(allowed) == 25
    rows = spent(journal_url)
    for place in (("engine", "eye", "2026-03-31"), ("engine", "eye", "2026-03"),
                  ("engine", "eye", "ever"), ("organisation", "home", "2026-03")):  # fmt: skip
        assert rows[place] == (25, 25 * PRICE), place
    for camera in set(allowed):
        count = allowed.count(camera)
        assert rows["camera", camera, "2026-03-31"] == (count, count * PRICE)


def test_sixteen_workers_who_do_not_look_again_overspend(journal_url: str):
    budget = PaidSection.model_validate({"engine": {"daily": 0.025}})

    assert len(reserve_all(journal_url, Blind, budget)) > 25


@pytest.mark.promise("feat E29")
def test_each_budget_holds_for_itself_and_all_of_them_together(journal_url: str):
    tree = {
        "engine": {"daily": 0.040, "monthly": 0.050},
        "camera": {"daily": 0.012},
        "cameras": {"camera3": {"daily": 0.0}},
    }

    allowed = reserve_all(journal_url, Ledger, PaidSection.model_validate(tree), tries=5)

    assert {each: allowed.count(each) for each in sorted(set(allowed))} == {
        "camera0": 12, "camera1": 12, "camera2": 12,
    }  # fmt: skip


@pytest.fixture
def journal(journal_url: str) -> Iterator[Journal]:
    journal = Journal.open(journal_url)
    yield journal
    journal.close()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


def governor(
    journal: Journal, clock: Clock, budget: dict[str, Any] | None = None, **thrift: Any
) -> Governor:
    section = ThriftSection.model_validate({"price": 0.001, "cooldown_s": 0, **thrift})
    return Governor("eye", journal, PaidSection.model_validate(budget or {}), section, clock)


def call(number: int = 0, looks: int = 0, camera: str = "porch") -> Call:
    """Of pictures that look alike where ``looks`` are the same."""
    cells = bytes([looks]) * 4
    return Call(camera, "home", f"{number:026d}", Likeness(2, 2, cells))


def paying(answer: str, failure: BaseException | None = None) -> Callable[[Purchase], Any]:
    def buy(purchase: Purchase) -> dict[str, str]:
        with purchase.paying():
            if failure:
                raise failure
        return {"saw": answer}

    return buy


@pytest.mark.promise("feat E29")
def test_days_and_months_begin_anew_by_utc(journal: Journal, clock: Clock):
    ledger = Ledger(journal, PaidSection.model_validate({"engine": {"daily": 0.001}}), clock)
    ledger.reserve("eye", "porch", "home", PRICE)
    with pytest.raises(
        Refused, match=r"0\.001 of 0\.001 USD for engine eye in 2026-03-31 are spent"
    ):
        ledger.reserve("eye", "porch", "home", PRICE)
    clock.forward(12 * 3600 - 1)
    with pytest.raises(Refused):
        ledger.reserve("eye", "porch", "home", PRICE)
    clock.forward(1)

    ledger.reserve("eye", "porch", "home", PRICE)

    words = {word: (row.calls, row.refused) for word, row in ledger.spent("eye").items()}
    assert words == {"day": (1, 0), "month": (1, 0), "ever": (2, 0)}


@pytest.mark.promise("feat E29")
def test_a_monthly_budget_outlasts_the_day(journal: Journal, clock: Clock):
    clock.forward(-5 * 86_400)
    ledger = Ledger(journal, PaidSection.model_validate({"engine": {"monthly": 0.001}}), clock)
    ledger.reserve("eye", "porch", "home", PRICE)
    clock.forward(3 * 86_400)
    with pytest.raises(Refused, match="in 2026-03 are spent"):
        ledger.reserve("eye", "yard", "home", PRICE)
    clock.forward(3 * 86_400)
    ledger.reserve("eye", "porch", "home", PRICE)


@pytest.mark.promise("feat E29")
def test_an_organisation_has_a_budget_for_all_of_its_cameras(journal: Journal, clock: Clock):
    tree = {"engine": {}, "organisations": {"farm": {"daily": 0.002}}}
    ledger = Ledger(journal, PaidSection.model_validate(tree), clock)
    for camera in ("barn", "gate"):
        ledger.reserve("eye", camera, "farm", PRICE)
    with pytest.raises(Refused, match="organisation farm"):
        ledger.reserve("eye", "barn", "farm", PRICE)
    ledger.reserve("eye", "porch", "home", PRICE)


@pytest.mark.promise("feat E29")
def test_what_was_not_charged_is_free_again_and_what_may_have_been_is_not(
    journal: Journal, clock: Clock
):
    asks = governor(journal, clock)
    refused = NotBilled()
    refused.__cause__ = OSError("refused")
    with pytest.raises(OSError, match="refused"):
        asks.ask(call(1), paying("", refused))
    assert asks.about()["periods"]["day"]["calls"] == 0
    assert asks.ledger.open("eye") == []

    with pytest.raises(TimeoutError):
        asks.ask(call(1), paying("", TimeoutError("no answer")))

    told = asks.about()
    assert told["periods"]["day"] == {"calls": 1, "money": 0.001, "budget": 1.0, "refused": 0}
    assert told["open"] == 1


CRASH = """
import sys
from shared.failpoint import arm
from shared.journal import Journal
from shared.paid import Call, Governor
from shared.picture.likeness import Likeness
from shared.settings.paid import PaidSection, ThriftSection

arm(sys.argv[2])
journal = Journal.open(sys.argv[1])
asks = Governor("eye", journal, PaidSection(), ThriftSection(price=0.001, cooldown_s=0))
def buy(purchase):
    with purchase.paying():
        return {"saw": "cat"}
asks.ask(Call("porch", "home", "1" * 26, Likeness(1, 1, b"0")), buy)
print("ended")
"""


@pytest.mark.promise("feat E29", "fault D1")
@pytest.mark.parametrize("place", ["paid.reserved", "paid.made"])
def test_a_crash_between_leaves_the_call_counted(journal_url: str, place: str):
    done = subprocess.run(
        [sys.executable, "-c", CRASH, journal_url, f"{place}:1:kill"],
        cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (-9, ""), done.stderr

    journal = Journal.open(journal_url)
    try:
        asks = governor(journal, Clock(datetime.now(UTC)))
        (left,) = asks.ledger.open("eye")
        assert (left.camera, left.micros) == ("porch", PRICE)
        assert asks.ledger.spent("eye")["ever"].micros == PRICE
        asks.ask(Call("porch", "home", "1" * 26, Likeness(1, 1, b"0")), paying("cat"))
        assert asks.ledger.spent("eye")["ever"].micros == 2 * PRICE  # it may have been paid twice
    finally:
        journal.close()


@pytest.mark.promise("feat E29")
def test_an_answer_is_remembered_for_pictures_that_look_alike(journal: Journal, clock: Clock):
    asks = governor(journal, clock, alike=9)
    first = asks.ask(call(1), paying("nobody"))
    again = asks.ask(call(2, looks=18), paying("nobody would ask"))  # 18 steps of a half
    other = asks.ask(call(3, looks=19), paying("somebody"))

    assert (first.bought, first.data) == (True, {"saw": "nobody"})
    assert (again.bought, again.data, again.snapshot_id) == (False, first.data, first.snapshot_id)
    assert (other.bought, other.data) == (True, {"saw": "somebody"})
    assert asks.about()["since_start"] == {
        "bought": 2,
        "remembered": 1,
        "budget": 0,
        "cool-down": 0,
    }
    elsewhere = asks.ask(call(4, camera="yard"), paying("a cow"))
    assert elsewhere.bought
    clock.forward(86_401)
    assert asks.ask(call(5), paying("nobody, still")).bought


@pytest.mark.promise("feat E29", "fault D5")
def test_the_same_picture_is_not_paid_twice_whatever_is_set(journal: Journal, clock: Clock):
    asks = governor(journal, clock, scenes=0, alike=0)
    asks.ask(call(1), paying("cat"))

    again = governor(journal, clock, scenes=0, alike=0).ask(call(1), paying("dog"))

    assert (again.bought, again.data) == (False, {"saw": "cat"})
    assert asks.ask(call(2), paying("dog")).bought  # but it is no answer for another one


@pytest.mark.promise("feat E29")
def test_after_a_call_its_camera_pauses(journal: Journal, clock: Clock):
    asks = governor(journal, clock, cooldown_s=5)
    asks.ask(call(1), paying("cat"))
    clock.forward(4.9)
    with pytest.raises(Refused) as refused:
        asks.ask(call(2, looks=100), paying("dog"))
    assert refused.value.reason == "cool-down"
    assert asks.ask(call(3, camera="yard"), paying("cow")).bought
    assert not asks.ask(call(4), paying("cat")).bought  # what is remembered needs no pause
    clock.forward(0.2)
    assert asks.ask(call(2, looks=100), paying("dog")).bought
    clock.forward(-3600)  # a clock that is put back
    assert asks.ask(call(5, looks=50), paying("hen")).bought


@pytest.mark.promise("feat E29", "fault D7")
def test_a_call_that_failed_makes_no_pause(journal: Journal, clock: Clock):
    asks = governor(journal, clock, cooldown_s=60)
    with pytest.raises(TimeoutError):
        asks.ask(call(1), paying("", TimeoutError()))

    assert asks.ask(call(2, looks=100), paying("dog")).bought


def test_a_camera_keeps_its_latest_answers_and_no_more(journal: Journal, clock: Clock):
    asks = governor(journal, clock, scenes=3)
    for number in range(6):
        clock.forward(1)
        asks.ask(call(number, looks=20 * number), paying(str(number)))

    assert [asks.ask(call(9, looks=20 * n), paying("new")).bought for n in (5, 4, 3)] == [False] * 3
    assert asks.ask(call(10, looks=0), paying("new")).bought


def test_what_is_old_is_forgotten_and_what_was_ever_spent_is_not(journal: Journal, clock: Clock):
    asks = governor(journal, clock)
    with pytest.raises(TimeoutError):
        asks.ask(call(1), paying("", TimeoutError()))
    clock.forward(100 * 86_400)
    asks.ask(call(2), paying("cat"))

    periods = {each.period for each in journal.owned(SPENT).all()}
    assert periods == {"2026-03", "2026-07", "2026-07-09", "ever"}
    assert journal.owned(RESERVATIONS).all() == []
    assert asks.ledger.spent("eye")["ever"].calls == 2


def test_without_the_journal_nothing_is_bought(journal: Journal, clock: Clock):
    asks = governor(journal, clock)
    journal.close()
    bought = []
    with pytest.raises(JournalUnavailable):
        asks.ledger.reserve("eye", "porch", "home", PRICE)
        bought.append(1)
    assert bought == []
