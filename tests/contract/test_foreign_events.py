"""What another program put on the bus: requests count, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.errors import ForeignEvent
from shared.event import Event
from shared.events import SnapshotRequested
from shared.journal import Journal
from tests.support.making import START, analyzed, taken

Answer = Callable[[Journal, Event], object]

ANSWERS: dict[str, Answer] = {
    "begin": lambda journal, event: journal.begin("drive", event, redelivered=False),
    "begin again": lambda journal, event: journal.begin("drive", event, redelivered=True),
    "finish": lambda journal, event: journal.finish("drive", event, [taken(3)]),
    "fail": lambda journal, event: journal.fail("drive", event, "", attempts=1, retry_after_s=1),
    "give up": lambda journal, event: journal.fail(
        "drive", event, "", attempts=1, retry_after_s=None
    ),
}


@pytest.fixture(params=ANSWERS)
def answer(request: pytest.FixtureRequest) -> Answer:
    return ANSWERS[request.param]


def catalogue(journal: Journal) -> Event:
    event = taken(1)
    journal.record_snapshot(event, ["key"], repeats_since=START)
    return event


def requested(**attributes: Any) -> Event:
    data = SnapshotRequested(camera="porch", reason="manual")
    return replace(data.event(subject="porch", cause="house"), **attributes)


@pytest.mark.promise("find M6")
def test_a_result_that_nobody_committed_leaves_nothing_behind(journal: Journal, answer: Answer):
    genuine = catalogue(journal)
    journal.finish("detector", genuine, [analyzed(genuine, "cat")])
    before = journal.read.newest_seq(), journal.read.snapshot(str(genuine.snapshot_id))
    forged = replace(analyzed(genuine, "burglar"), id="forged")

    with pytest.raises(ForeignEvent, match="no service of ours committed it"):
        answer(journal, forged)

    assert (journal.read.newest_seq(), journal.read.snapshot(str(genuine.snapshot_id))) == before
    assert journal.recovery.items() == []


@pytest.mark.promise("find M6")
@pytest.mark.parametrize(
    "change",
    [
        {"data": {**analyzed(taken(1), "burglar").data}},
        {"topic": "snapshot.taken"},
        {"snapshot_id": "another"},
        {"subject": "gate"},
        {"organisation": "another"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_committed_event_that_says_something_else_now_is_no_attempt(
    journal: Journal, change: dict[str, Any]
):
    result = analyzed(catalogue(journal), "cat")
    journal.append([result])

    for again in (False, True):
        with pytest.raises(ForeignEvent, match="another event by this id"):
            journal.begin("drive", replace(result, **change), redelivered=again)

    assert journal.recovery.items() == []
    assert journal.begin("drive", result, redelivered=False).attempts == 1


@pytest.mark.promise("find M6")
def test_a_request_of_another_program_is_recorded_with_its_first_answer(
    journal: Journal, answer: Answer
):
    asked = requested()
    answer(journal, asked)
    journal.finish("camera", asked, [])

    recorded = journal.read.event(asked.id)

    assert recorded is not None
    assert recorded.published_at is not None


def test_a_foreign_event_takes_nobody_elses_commit_with_it(journal: Journal):
    """Who commits in one group with it is not refused."""
    genuine = catalogue(journal)
    with pytest.raises(ForeignEvent):
        journal.finish("drive", analyzed(taken(7)), [])
    journal.finish("detector", genuine, [analyzed(genuine)])

    assert journal.begin("detector", genuine, redelivered=False).done
