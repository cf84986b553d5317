"""What a process does while there is nothing to do: little, and it is awake at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import pytest

from services.api import tail
from services.api.door import OPEN
from services.api.tail import Tail
from services.api.watchers import Wish
from shared.errors import JournalUnavailable
from shared.events import now
from shared.journal.queries.events import Recorded
from shared.runtime import self_check
from shared.runtime.metrics import Metrics
from shared.runtime.self_check import SelfCheck
from shared.service import Service
from tests.support.making import taken


class Journal:
    """Counts what is asked of it and told to it."""

    def __init__(self) -> None:
        self.reports: list[tuple[str, Any]] = []
        self.looks: list[str] = []
        self.stuck_services: dict[str, str] = {}
        self.away = False
        self.recovery = self

    def stuck(self, service: str, _longer_than_s: float) -> str:
        if self.away:
            raise JournalUnavailable("it is away")
        self.looks.append(service)
        return self.stuck_services.get(service, "")

    def report(self, service: str, _started_at: Any, about: Any) -> None:
        self.reports.append((service, about["summary"]))


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def summaries() -> dict[str, str]:
    return {"ftp": "quiet", "drive": "quiet"}


@pytest.fixture
def check(journal: Journal, summaries: dict[str, str]) -> SelfCheck:
    fine = SimpleNamespace(check=lambda: None, check_writable=lambda: None)
    bus: Any = SimpleNamespace(connected=True, refused=0, ticked_at=float("inf"), detail="")

    def service(name: str) -> Service:
        return Service(name, about=lambda: {"summary": summaries[name]})

    services = [service(name) for name in summaries]
    store: Any = SimpleNamespace(volume=fine)
    fake: Any = journal
    return SelfCheck(services, bus, store, fake, Metrics(), started_at=now(), stuck_s=120.0)


def test_what_a_service_says_is_written_when_it_changes(check, journal, summaries, monkeypatch):
    for _ in range(5):
        assert check.run().problems == ()
    assert journal.reports == [("ftp", "quiet"), ("drive", "quiet")]
    summaries["drive"] = "filing"
    check.run()
    assert journal.reports[2:] == [("drive", "filing")]
    monkeypatch.setattr(self_check, "REPORT_S", 0.0)
    check.run()
    assert journal.reports[3:] == [("ftp", "quiet"), ("drive", "filing")]


def test_a_configuration_that_is_not_in_force_is_told_and_keeps_nothing_from_being_ready(check):
    pulse = check.run("the changed configuration is not in force: line 3")
    assert pulse.problems == ()
    told = {name: about["configuration"] for name, about in pulse.services.items()}
    assert told == dict.fromkeys(
        ("ftp", "drive"), "the changed configuration is not in force: line 3"
    )
    assert "configuration" not in check.run().services["ftp"]


def test_what_is_stuck_is_looked_at_until_it_moves(check, journal):
    journal.stuck_services["drive"] = "owes 3 events"
    assert check.run().problems == ("drive: owes 3 events",)
    journal.looks.clear()
    check.run()
    assert journal.looks == ["drive"]
    journal.stuck_services.clear()
    assert check.run().problems == ()
    journal.looks.clear()
    check.run()
    assert journal.looks == []


def test_a_journal_that_is_away_is_found_in_time_and_asked_until_it_is_back(
    check, journal, monkeypatch
):
    assert check.run().problems == ()
    monkeypatch.setattr(self_check, "ASK_S", 0.0)
    journal.away = True
    assert check.run().problems == ("it is away",)
    monkeypatch.setattr(self_check, "ASK_S", 60.0)
    assert check.run().problems == ("it is away",)
    journal.away = False
    assert check.run().problems == ()
    journal.looks.clear()
    check.run()
    assert journal.looks == []


class Reader:
    """A journal of events that a test adds to."""

    def __init__(self) -> None:
        self.rounds = 0
        self.events: list[Recorded] = []

    def latest_events(self, _limit: int) -> Sequence[Recorded]:
        return self.events[::-1]

    def events_after(self, seq: int, _limit: int) -> Sequence[Recorded]:
        self.rounds += 1
        return [each for each in self.events if each.seq > seq]


def test_the_tail_is_slow_while_nobody_watches_and_quick_as_soon_as_somebody_does(monkeypatch):
    monkeypatch.setattr(tail, "IDLE_POLL_S", 60.0)
    monkeypatch.setattr(tail, "POLL_S", 0.05)

    async def play() -> None:
        reader: Any = Reader()
        follower = Tail(reader, lambda _recorded, _fresh: None)
        running = asyncio.create_task(follower.run())
        await follower.started()
        await asyncio.sleep(4 * tail.POLL_S)
        assert reader.rounds == 1
        async with aclosing(follower.follow(Wish(OPEN), "", lambda: None)) as frames:
            await anext(frames)
            reader.events.append(Recorded(1, taken(1), now(), None))
            frame = await asyncio.wait_for(anext(frames), 5)
        assert taken(1).id.encode() in frame
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(play())
