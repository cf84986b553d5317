"""Measures for Prometheus: latencies from the events as they pass, the rest asked when scraped."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from services.api.happenings import latest
from services.api.money import paid
from services.api.state import PartView, State
from shared.errors import JournalUnavailable
from shared.events import (
    CameraFailed,
    Event,
    SnapshotAnalyzed,
    SnapshotArchived,
    SnapshotRejected,
    SnapshotRequested,
    SnapshotSkipped,
    SnapshotTaken,
)
from shared.journal.queries.events import Recorded
from shared.journal.queries.snapshots import Reader
from shared.journal.queries.view import EVERYTHING

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REMEMBERED = 5_000
"""Snapshots and requests on their way whose times are kept in memory."""
PROCESSED = {
    "processed_count": "Events a service handled since it began.",
    "error_count": "Attempts of a service that failed since it began.",
    "avg_processing_time": "Moving average of the seconds in its handlers.",
}
_BUCKETS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800)
_ENDS = (SnapshotArchived.topic, SnapshotSkipped.topic, SnapshotRejected.topic)


class Meters:
    """The measures of one API process. ``observe`` belongs to the event loop's thread."""

    def __init__(self, state: State, read: Reader) -> None:
        self._registry = CollectorRegistry()
        self._events = Counter(
            "snapbus_events", "Events seen since this process began.", ("topic",),
            registry=self._registry,
        )  # fmt: skip
        self._stages = Histogram(
            "snapbus_stage_seconds",
            "Time from one stage of a snapshot to the next; 'total' is from taken to the end.",
            ("stage",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._failures = Counter(
            "snapbus_camera_failures",
            "Pictures that a camera was asked for and did not give, since this process began.",
            ("camera",),
            registry=self._registry,
        )
        self._state = state
        self._times: OrderedDict[str, datetime] = OrderedDict()
        self._registry.register(_Journal(state, read))

    def observe(self, recorded: Recorded, fresh: bool) -> None:
        """Take note of an event; ``fresh`` is false for those from before this process began."""
        event = recorded.event
        if fresh:
            self._events.labels(event.topic).inc()
            # Names that only a request knows would be labels without end.
            if event.topic == CameraFailed.topic and event.subject in self._state.cameras:
                self._failures.labels(event.subject).inc()
        for stage, since in self._stages_ended(event):
            began = self._times.get(since)
            if fresh and began is not None:
                seconds = max(0.0, (event.time - began).total_seconds())
                self._stages.labels(stage).observe(seconds)
        self._remember(event)

    def text(self) -> bytes:
        """Everything in the exposition format. Asks the journal: not for the event loop."""
        return generate_latest(self._registry)

    def _stages_ended(self, event: Event) -> list[tuple[str, str]]:
        snapshot = event.snapshot_id
        if event.topic == SnapshotTaken.topic and event.cause:
            return [("requested_to_taken", event.cause)]
        if event.topic == SnapshotAnalyzed.topic:
            return [("taken_to_analyzed", f"{snapshot} {SnapshotTaken.topic}")]
        if event.topic in _ENDS:
            return [
                ("analyzed_to_end", f"{snapshot} {SnapshotAnalyzed.topic}"),
                ("total", f"{snapshot} {SnapshotTaken.topic}"),
            ]
        return []

    def _remember(self, event: Event) -> None:
        if event.topic == SnapshotRequested.topic:
            self._times[event.id] = event.time
        elif event.topic in (SnapshotTaken.topic, SnapshotAnalyzed.topic):
            self._times[f"{event.snapshot_id} {event.topic}"] = event.time
        while len(self._times) > REMEMBERED:
            self._times.popitem(last=False)


class _Journal(Collector):
    """What the journal says at the moment of the scrape."""

    def __init__(self, state: State, read: Reader) -> None:
        self._state = state
        self._read = read

    def collect(self) -> Iterator[Metric]:
        journal = GaugeMetricFamily("snapbus_journal_up", "1 when the database answers.")
        try:
            found = list(self._from_journal())
        except JournalUnavailable:
            journal.add_metric((), 0)
            yield journal
            return
        journal.add_metric((), 1)
        yield journal
        yield from found

    def describe(self) -> Iterator[Metric]:
        return iter(())  # asks nothing when it is registered

    def _of_cameras(self) -> Iterator[Metric]:
        """Of configured cameras. ``failing``: the last try failed after the last picture."""
        names = list(self._state.cameras)
        newest = self._read.last_snapshots(names)
        rows = self._read.snapshots_of(list(newest.values()))
        failures = latest(self._read, CameraFailed.topic)
        seen, failed, failing = (
            GaugeMetricFamily(f"snapbus_camera_{name}", text, labels=("camera",))
            for name, text in (
                ("last_snapshot_timestamp_seconds", "When its last picture came."),
                ("last_failure_timestamp_seconds", "When it last gave no picture."),
                ("failing", "1 when it gave none since its last picture."),
            )
        )
        for name in names:
            last, failure = rows.get(newest.get(name, "")), failures.get(name)
            if last:
                seen.add_metric((name,), last.received_at.timestamp())
            if failure:
                failed.add_metric((name,), failure.time.timestamp())
            is_failing = failure and (last is None or failure.time > last.received_at)
            failing.add_metric((name,), 1.0 if is_failing else 0.0)
        yield from (seen, failed, failing)

    def _from_journal(self) -> Iterator[Metric]:
        snapshots = GaugeMetricFamily(
            "snapbus_snapshots", "Snapshots by camera and state.", labels=("camera", "state")
        )
        for camera, states in self._state.counts(EVERYTHING).items():
            for state, count in states.items():
                snapshots.add_metric((camera, state), count)
        yield snapshots
        yield from self._of_cameras()
        lag = self._read.lag()
        for name, value, text in (
            ("unpublished_events", lag.unpublished, "Events no broker has confirmed."),
            ("unpublished_age_seconds", lag.oldest_unpublished_s, "Age of the oldest of them."),
            ("unfinished_snapshots", lag.unfinished, "Snapshots that are not finished."),
            ("unfinished_age_seconds", lag.oldest_unfinished_s, "Age of the oldest of them."),
            ("dead_work", lag.dead, "Pieces of work that were given up."),
        ):
            yield GaugeMetricFamily(f"snapbus_{name}", text, value=value)
        up = GaugeMetricFamily(
            "snapbus_part_up", "1 for what runs.", labels=("service", "instance")
        )
        for part in self._state.statuses():
            up.add_metric((part.service, part.instance), float(part.up))
        yield up
        yield from _processed(self._state.statuses())
        yield from paid(self._state.statuses())
        if space := self._state.space():
            yield GaugeMetricFamily("snapbus_store_free_bytes", "Free space.", value=space.free)
            yield GaugeMetricFamily("snapbus_store_size_bytes", "Its size.", value=space.total)


def _processed(parts: Sequence[PartView]) -> Iterator[Metric]:
    """What each service did, under the names that older programs look for."""
    for name, text in PROCESSED.items():
        family = GaugeMetricFamily(name, text, labels=("service", "instance"))
        for part in parts:
            if name in part.about:
                family.add_metric((part.service, part.instance), float(part.about[name]))
        yield family
