"""What one process counts, in Prometheus' text format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """The figures of one process. Any thread."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.handled = Counter(
            "snapbus_events_handled",
            "Events a service handled, by outcome: done, retry, dead, repeated",
            ["service", "topic", "outcome"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "snapbus_handler_seconds",
            "Time in the handler",
            ["service", "topic"],
            registry=self._registry,
        )
        self.connected = Gauge(
            "snapbus_broker_connected", "1 when the broker is connected", registry=self._registry
        )
        self.refused = Gauge(
            "snapbus_events_refused", "Events the broker refused so far", registry=self._registry
        )

    def render(self) -> bytes:
        """All figures as text."""
        return generate_latest(self._registry)
