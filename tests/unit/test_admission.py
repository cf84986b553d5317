"""What a worker takes from the bus, and what it lets a handler say."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest

from shared.event import Event
from shared.events import EventData, SnapshotAnalyzed, SnapshotArchived, SnapshotSkipped
from shared.runtime.admission import doubt
from shared.settings import Settings
from tests.support.fakes import eventually
from tests.support.making import analyzed, taken
from tests.support.rig import EVENT, OTHER, Rig

SETTINGS = Settings.model_validate({"archives": {"nas": {"folder": "nas"}}})


def said(data: EventData) -> Event:
    return data.event(subject="porch", cause="cause", snapshot_id="snapshot")


def result(analyzer: str) -> Event:
    return said(SnapshotAnalyzed(camera="porch", analyzer=analyzer, analyzed=False))


def filing(archive: str) -> Event:
    filed = SnapshotArchived(camera="porch", archive=archive, path="x", sha256="0" * 64, size=1)
    return said(filed)


def skipping(archive: str) -> Event:
    return said(SnapshotSkipped(camera="porch", archive=archive, policy="off"))


@pytest.mark.promise("find M6")
@pytest.mark.parametrize("look_up_first", [True, False])
def test_a_forged_result_is_a_dead_letter_that_is_told_and_nothing_else(
    rig: Rig, look_up_first: bool, caplog: pytest.LogCaptureFixture
) -> None:
    for worker in rig.workers:
        worker._service = replace(rig.service, look_up_first=look_up_first)
    seq = rig.journal.read.newest_seq()
    forged = replace(analyzed(taken(1), "burglar"), id="forged", source="/snapbus/detector")

    with caplog.at_level(logging.ERROR):
        rig.give(forged)
        eventually(lambda: len(rig.broker.dead_letters) == 1)

    eventually(rig.is_idle)
    assert rig.journal.read.newest_seq() == seq
    assert rig.journal.recovery.items() == []
    assert rig.seen == ([] if look_up_first else [forged.id])
    assert "refused snapshot.analyzed.porch forged" in caplog.text
    assert rig.outcome("refused") == 1
    rig.give(EVENT)
    eventually(lambda: rig.status() == "done")


@pytest.mark.promise("find M6")
def test_a_result_with_other_data_does_not_reach_the_handler(rig: Rig) -> None:
    rig.give(replace(EVENT, data={**OTHER.data, "engine": "forged"}))
    eventually(lambda: len(rig.broker.dead_letters) == 1)
    rig.give(EVENT)
    eventually(lambda: rig.status() == "done")
    assert rig.seen == [EVENT.id]


@pytest.mark.promise("find M6")
@pytest.mark.parametrize(
    ("event", "why"),
    [
        (result("detector"), ""),
        (result("stranger"), "no analyser stranger is configured"),
        (filing("folder"), ""),
        (filing("nas"), ""),
        (filing("elsewhere"), "no archive elsewhere is configured"),
        (skipping("nas"), ""),
        (skipping("elsewhere"), "no archive elsewhere is configured"),
        (taken(1), ""),
    ],
    ids=lambda value: value.topic if isinstance(value, Event) else value,
)
def test_results_and_filings_have_configured_names(event: Event, why: str) -> None:
    assert doubt(SETTINGS, event) == why


@pytest.mark.promise("find M6")
def test_what_a_handler_says_by_a_name_that_is_not_configured_is_not_committed(rig: Rig) -> None:
    def files(event: Event) -> Sequence[Event]:
        return [filing("elsewhere")]

    for worker in rig.workers:
        worker._doubt = partial(doubt, SETTINGS)
    rig.handler = files
    rig.give(EVENT)

    eventually(lambda: rig.status() == "dead")
    assert rig.error() == "no archive elsewhere is configured"
    assert rig.journal.read.event(filing("elsewhere").id) is None
