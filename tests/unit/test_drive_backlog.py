"""The page says how many pictures wait, and for about how long."""

from __future__ import annotations

from services.drive.backlog import Backlog
from shared.errors import JournalUnavailable


def test_a_backlog_that_shrinks_has_a_forecast():
    time, counts = [0.0], iter([12_000, 11_900, 12_100, 3])
    backlog = Backlog(lambda: next(counts), lambda: time[0])

    assert backlog.words() == "12,000 pictures wait"
    assert backlog.words() == "12,000 pictures wait", "it is counted seldom"
    time[0] = 100.0
    assert backlog.words() == "11,900 pictures wait, for about 3 hours"
    time[0] = 200.0
    assert backlog.words() == "12,100 pictures wait", "it grows"
    time[0] = 1000.0
    assert backlog.words() == ""


def test_without_the_journal_nothing_is_said():
    def away() -> int:
        raise JournalUnavailable("away")

    assert Backlog(away).words() == ""
