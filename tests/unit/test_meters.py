"""What Prometheus is told of the time between the stages of a snapshot."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.api.meters import Meters
from shared.errors import JournalUnavailable
from shared.events import Event, SnapshotArchived
from shared.journal.queries.events import Recorded
from tests.support.making import START, analyzed, taken


class NoJournal:
    def counts(self, _view: object) -> Any:
        raise JournalUnavailable("not asked here")


def later(event: Event, seconds: float) -> Event:
    return replace(event, time=START + timedelta(seconds=seconds))


@pytest.mark.promise("feat J2", "feat J15")
def test_each_stage_is_measured_from_the_times_of_its_events():
    nothing: Any = NoJournal()
    meters = Meters(nothing, nothing)
    first = taken(1)
    seen = later(analyzed(first, "cat"), 1.5)
    data = SnapshotArchived(camera="porch", archive="folder", path="x", sha256="0" * 64, size=1)
    filed = later(data.event(subject="porch", cause=seen), 4.0)
    for number, event in enumerate((first, seen, filed)):
        meters.observe(Recorded(number, event, START, None), fresh=True)

    told = meters.text().decode()

    for stage, seconds in (("taken_to_analyzed", 1.5), ("analyzed_to_end", 2.5), ("total", 4.0)):
        assert f'snapbus_stage_seconds_sum{{stage="{stage}"}} {seconds}' in told.splitlines()
