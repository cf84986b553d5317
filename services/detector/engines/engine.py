"""The interface of all engines: upright pixels in, detections and the time of each step out.

Three implementations stand beside it: openvino, onnx and ultralytics. Each is the only file that
imports its library, and is itself imported only when it is chosen.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from shared.errors import SnapbusError
from shared.events import Detection
from shared.picture.decode import Pixels


class EngineUnavailable(SnapbusError):
    """This engine can't run here with this model; the text says why and what to do."""


class EngineFailed(SnapbusError):
    """The engine could not analyse this picture now (out of memory, device gone)."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Detections below ``confidence`` are dropped, and boxes of one label that overlap by more than
    ``iou`` are merged."""

    confidence: float = 0.25
    iou: float = 0.7
    max_detections: int = 300


@dataclass(frozen=True, slots=True)
class Parallelism:
    """How many pictures at a time (``streams``), and how many threads for each when all streams are
    busy. The only picture at work gets all ``cores``."""

    streams: int = 1
    threads: int = 1
    cores: int = 1

    @property
    def differ(self) -> bool:
        """Whether a picture among several gets another number of threads than one alone."""
        return self.streams > 1 and self.threads != self.cores


@dataclass(frozen=True, slots=True)
class DetectionResult:
    """The detections, the surest first, and the milliseconds of letterbox, infer and nms."""

    detections: tuple[Detection, ...]
    milliseconds: Mapping[str, float] = field(default_factory=dict)


class Engine(Protocol):
    """A loaded model. ``detect`` may be called from several threads at a time."""

    @property
    def name(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def model_sha256(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def size(self) -> tuple[int, int]:
        """Width and height to which pictures are scaled."""

    @property
    def detail(self) -> str:
        """Library, version, precision and device, for people."""

    def detect(self, pixels: Pixels) -> DetectionResult:
        """The detections in a picture; raises EngineFailed."""


class InFlightCount:
    """Counts the pictures being inferred, so that the only one can have all cores.

    Several streams with one thread each give the best throughput, one stream with all threads the
    best latency. Which is better is known only when a picture comes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    @contextmanager
    def enter(self) -> Iterator[bool]:
        """Yields whether this picture is the only one."""
        with self._lock:
            is_only = self._count == 0
            self._count += 1
        try:
            yield is_only
        finally:
            with self._lock:
                self._count -= 1


def cores() -> int:
    """The processor cores this process may use: its affinity, and its container's quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(allowed or 1, int(quota) // int(period)))
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return max(1, allowed or 1)


def parallelism(streams: int, threads: int, available: int) -> Parallelism:
    """The parallelism of settings in which 0 stands for one stream per core, one thread each."""
    streams = streams or available
    return Parallelism(streams, threads or max(1, available // streams), available)
