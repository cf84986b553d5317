"""What every engine does: take upright pixels, say what is in them and how long each step took.

Three real engines stand behind ``Engine``: openvino, onnx and ultralytics.
Each is the only file that imports its library, and imports it only when it is chosen.
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
    """What is reported: at least this sure, and overlapping boxes of one label told apart."""

    confidence: float = 0.25
    iou: float = 0.7
    most: int = 300


@dataclass(frozen=True, slots=True)
class Lanes:
    """How many pictures at a time, and how many threads for each when all lanes are busy.
    A picture that is alone gets all ``cores``."""

    streams: int = 1
    threads: int = 1
    cores: int = 1

    @property
    def differ(self) -> bool:
        """Whether one of several pictures is to be computed otherwise than one alone."""
        return self.streams > 1 and self.threads != self.cores


@dataclass(frozen=True, slots=True)
class Findings:
    """What an engine saw, the surest first, and the milliseconds of letterbox, infer and nms."""

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
        """Width and height of the box into which pictures are scaled."""

    @property
    def detail(self) -> str:
        """Precision and device, for people."""

    def detect(self, pixels: Pixels) -> Findings:
        """What is in the picture; raises EngineFailed."""


class Traffic:
    """Counts the pictures in work, so that one alone can have all cores.

    Several streams with one thread each do most pictures a second, one stream with all threads
    is fastest for one picture. Which is better is known at the moment a picture comes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0

    @contextmanager
    def enter(self) -> Iterator[bool]:
        """Yields whether this picture is alone."""
        with self._lock:
            alone = self._inside == 0
            self._inside += 1
        try:
            yield alone
        finally:
            with self._lock:
                self._inside -= 1


def cores() -> int:
    """The processor cores this process may use: its affinity, and its container's quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(allowed or 1, int(quota) // int(period)))
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return max(1, allowed or 1)


def lanes(streams: int, threads: int, available: int) -> Lanes:
    """The lanes for settings where 0 means "choose": one stream per core, one thread each."""
    streams = streams or available
    return Lanes(streams, threads or max(1, available // streams), available)
