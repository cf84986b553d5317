"""What one process counts, in Prometheus' text format and as three figures of each service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

WEIGHT = 0.1
"""Of the latest in the moving average."""


@dataclass(slots=True)
class Processed:
    """What a service did since it began: events done, attempts that failed, and the moving average
    of the seconds in its handlers. The names are those that older programs look for."""

    processed_count: int = 0
    error_count: int = 0
    avg_processing_time: float = 0.0


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
        self._seconds = Histogram(
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
        self._processed: dict[str, Processed] = {}
        self._lock = threading.Lock()
        self._registry.register(_Figures(self.processed))

    @contextmanager
    def handling(self, service: str, topic: str) -> Iterator[None]:
        """Times what is done inside."""
        began = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - began
            self._seconds.labels(service, topic).observe(seconds)
            with self._lock:
                figures = self._processed.setdefault(service, Processed())
                weight = WEIGHT if figures.avg_processing_time else 1.0
                figures.avg_processing_time += weight * (seconds - figures.avg_processing_time)

    def count(self, service: str, topic: str, outcome: str) -> None:
        """Count an event by what became of it."""
        self.handled.labels(service, topic, outcome).inc()
        with self._lock:
            figures = self._processed.setdefault(service, Processed())
            figures.processed_count += outcome == "done"
            figures.error_count += outcome in ("retry", "dead")

    def processed(self) -> dict[str, dict[str, float]]:
        """The three figures of each service that has handled something."""
        with self._lock:
            return {name: asdict(each) for name, each in self._processed.items()}

    def render(self) -> bytes:
        """All figures as text."""
        return generate_latest(self._registry)


class _Figures(Collector):
    def __init__(self, ask: Callable[[], Mapping[str, Mapping[str, float]]]) -> None:
        self._ask = ask

    def collect(self) -> Iterator[Metric]:
        yield from figures_of(self._ask())

    def describe(self) -> Iterator[Metric]:
        return iter(())


def figures_of(processed: Mapping[str, Mapping[str, float]]) -> Iterator[Metric]:
    """The three figures of each service for Prometheus."""
    for name, text in (
        ("processed_count", "Events a service handled since it began."),
        ("error_count", "Attempts of a service that failed since it began."),
        ("avg_processing_time", "Moving average of the seconds in its handlers."),
    ):
        family = GaugeMetricFamily(name, text, labels=("service",))
        for service, figures in processed.items():
            family.add_metric((service,), figures[name])
        yield family
