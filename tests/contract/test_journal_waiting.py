"""What waited for a peer comes back in the order that was chosen, and holds up nobody else."""

from __future__ import annotations

import pytest

from shared.events import Event
from shared.journal import Journal
from tests.support.making import Clock, taken


def parked(journal: Journal, clock: Clock, service: str, count: int) -> list[Event]:
    """Events of a service that wait for a share, in the order of their coming."""
    sent = [taken(number, camera=service) for number in range(count)]
    journal.append(sent)
    journal.mark_published([each.id for each in sent])
    for each in sent:
        journal.fail(service, each, "away", attempts=1, retry_after_s=10, waiting_for="share")
        clock.forward(1)
    return sent


def due(journal: Journal, limit: int = 100, *newest: str) -> list[Event]:
    return [each.event for each in journal.recovery.due(limit, newest)]


@pytest.mark.promise("feat F6", "fault D5")
@pytest.mark.parametrize("newest", [False, True])
def test_the_oldest_or_the_newest_comes_first(journal: Journal, clock: Clock, newest: bool):
    journal.subscribe("drive", ["snapshot.taken"])
    probe, *rest = parked(journal, clock, "drive", 6)
    journal.finish("drive", probe, [], waited_for="share")

    wanted = rest[::-1] if newest else rest
    assert due(journal, 100, *(["drive"] if newest else [])) == wanted
    assert due(journal, 2, *(["drive"] if newest else [])) == wanted[:2]


@pytest.mark.promise("feat F6")
def test_a_long_line_of_one_service_holds_up_no_other(journal: Journal, clock: Clock):
    for service in ("drive", "house"):
        journal.subscribe(service, ["snapshot.taken"])
    probe, *_rest = parked(journal, clock, "drive", 20)
    journal.finish("drive", probe, [], waited_for="share")
    clock.forward(1)
    late = taken(99)
    journal.append([late])
    journal.mark_published([late.id])
    journal.fail("house", late, "busy", attempts=1, retry_after_s=0)

    assert len(due(journal, 5)) == 6
    assert late in due(journal, 5)


def test_the_backlog_is_counted_tried_or_not(journal: Journal, clock: Clock):
    journal.subscribe("drive", ["snapshot.taken"])
    assert journal.recovery.owed("drive") == 0
    first, *_rest = parked(journal, clock, "drive", 5)
    journal.append([taken(50)])
    assert journal.recovery.owed("drive") == 6
    journal.finish("drive", first, [])
    journal.fail("drive", _rest[0], "no", attempts=1, retry_after_s=None)
    assert journal.recovery.owed("drive") == 4
