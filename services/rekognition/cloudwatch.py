"""A source that sends figures to Amazon CloudWatch, as the older program sent its errors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from shared.aws.client import Client
from shared.aws.errors import AwsError
from shared.errors import JournalUnavailable
from shared.events import CameraFailed, SnapshotRejected
from shared.events import now as utc_now
from shared.journal import Journal
from shared.settings.rekognition import CloudwatchSection
from shared.stop import Stop

log = logging.getLogger(__name__)

APPLICATION = "snapbus"
FAILURES = (CameraFailed.topic, SnapshotRejected.topic)
MOST = 1000
"""Failures of a kind that are counted in one interval."""
Money = Callable[[], float]


class Figures:
    """Sends them every few seconds. What could not be sent counts in the next ones; after a restart
    counting begins anew."""

    name = "cloudwatch"

    def __init__(
        self,
        client: Client,
        section: CloudwatchSection,
        journal: Journal,
        device: str,
        money: Money | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """``money`` tells what paid engines cost today."""
        self._client = client
        self._section = section
        self._journal = journal
        self._device = device
        self._money = money
        self._now = clock
        self._since = clock()
        self._known: tuple[int, int] | None = None
        self.trouble = ""

    def run(self, stop: Stop) -> None:
        """Send until stopped."""
        while not stop.wait(self._section.every_s):
            self.send()

    def send(self) -> None:
        """Send what there is now."""
        try:
            now, (data, known) = self._now(), self._figures()
            self._client.call("put_metric_data", Namespace=self._section.namespace, MetricData=data)
        except (AwsError, JournalUnavailable) as error:
            if not self.trouble:
                log.warning("no figures sent: %s", error, extra={"action": "cloudwatch_away"})
            self.trouble = f"no figures sent to CloudWatch: {error}"
        else:
            self._since, self._known, self.trouble = now, known, ""

    def _figures(self) -> tuple[list[dict[str, Any]], tuple[int, int]]:
        read = self._journal.read
        lag = read.lag()
        total = sum(sum(states.values()) for states in read.counts().values())
        before, dead = self._known or (total, lag.dead)
        failed = sum(self._failed(topic) for topic in FAILURES)
        figures = {
            "Errors": (failed + max(0, lag.dead - dead), "Count"),
            "Snapshots": (max(0, total - before), "Count"),
            "Unfinished": (lag.unfinished, "Count"),
            "OldestUnfinished": (lag.oldest_unfinished_s, "Seconds"),
            "Dead": (lag.dead, "Count"),
        }
        if self._money:
            figures["PaidToday"] = (self._money(), "None")
        return list(self._data(figures)), (total, lag.dead)

    def _failed(self, topic: str) -> int:
        latest = self._journal.read.latest_events(MOST, topic=topic)
        return sum(each.recorded_at > self._since for each in latest)

    def _data(self, figures: dict[str, tuple[float, str]]) -> Iterator[dict[str, Any]]:
        dimensions = [
            {"Name": "Application", "Value": APPLICATION},
            {"Name": "Device", "Value": self._device},
        ]
        for name, (value, unit) in figures.items():
            yield {
                "MetricName": name,
                "Dimensions": dimensions,
                "Value": float(value),
                "Unit": unit,
                "Timestamp": self._now(),
            }

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
