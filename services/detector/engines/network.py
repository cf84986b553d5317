"""An engine around any network with YOLOv8's layout: letterbox, inference, nms."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from services.detector.engines.engine import (
    DetectionResult,
    EngineFailed,
    EngineUnavailable,
    InFlightCount,
    Thresholds,
)
from services.detector.engines.letterbox import (
    Floats,
    Input,
    Letterbox,
    blank,
    letterbox,
    preprocess,
)
from services.detector.engines.nms import postprocess
from services.detector.model_file import ModelFile
from shared.picture.decode import Pixels

Run = Callable[[Floats], Floats]
"""One inference; raises EngineFailed. May be called from several threads at a time."""


class NetworkEngine:
    """``latency`` runs a picture alone, on all cores; ``throughput`` runs one of several, and is
    loaded at its first use; None: ``latency`` runs both."""

    def __init__(
        self,
        name: str,
        file: ModelFile,
        target: Input,
        thresholds: Thresholds,
        *,
        latency: Run,
        throughput: Callable[[], Run] | None,
        detail: str,
    ) -> None:
        self.name = name
        self.model = file.name
        self.model_sha256 = file.sha256
        self.labels = file.labels
        self.detail = detail
        self.size = (target.width, target.height)
        self._input = target
        self._thresholds = thresholds
        self._latency = latency
        self._throughput = _Lazy(throughput) if throughput else latency
        self._in_flight = InFlightCount()
        self._own = _Tensor()

    def detect(self, pixels: Pixels) -> DetectionResult:
        start = time.perf_counter()
        box = letterbox(pixels.shape[1], pixels.shape[0], self._input)
        batch = self._own.of(box)
        preprocess(pixels, box, batch)
        ready = time.perf_counter()
        with self._in_flight.enter() as is_only:
            output = (self._latency if is_only else self._throughput)(batch)
        inferred = time.perf_counter()
        found = postprocess(output, box, self.labels, self._thresholds)
        end = time.perf_counter()
        return DetectionResult(
            found,
            {
                "letterbox": 1e3 * (ready - start),
                "infer": 1e3 * (inferred - ready),
                "nms": 1e3 * (end - inferred),
            },
        )


class _Tensor(threading.local):
    """The input of one thread, kept for its next picture: new memory costs as much as scaling."""

    box: Letterbox | None = None
    tensor: Floats

    def of(self, box: Letterbox) -> Floats:
        if box != self.box:
            self.box, self.tensor = box, blank(box)
        return self.tensor


class _Lazy:
    """A network loaded by the first picture that needs it."""

    def __init__(self, load: Callable[[], Run]) -> None:
        self._load = load
        self._run: Run | None = None
        self._lock = threading.Lock()

    def __call__(self, batch: Floats) -> Floats:
        with self._lock:
            if self._run is None:
                try:
                    self._run = self._load()
                except EngineUnavailable as error:
                    raise EngineFailed(str(error)) from error
            run = self._run
        return run(batch)


def input_of(file: ModelFile, sides: list[Any], outputs: list[Any]) -> Input:
    """The input of a network with these shapes, in which anything but a number is dynamic.

    Raises EngineUnavailable unless it has YOLOv8's layout: a picture of 3 planes in, a table of
    4 box rows and one row per label out.
    """
    numbers = [side if isinstance(side, int) and side > 0 else None for side in sides]
    if len(numbers) != 4 or numbers[1] not in (3, None) or numbers[0] not in (1, None):
        raise EngineUnavailable(f"{file.path} does not take one picture: its input is {sides}")
    rows = outputs[1] if len(outputs) == 3 and isinstance(outputs[1], int) else None
    if len(outputs) != 3 or (rows is not None and rows < 5):
        raise EngineUnavailable(
            f"{file.path} does not have YOLOv8's output (1, 4 + labels, boxes) but {outputs};"
            " export it without nms"
        )
    if rows is not None and file.labels and rows != 4 + len(file.labels):
        raise EngineUnavailable(
            f"{file.path} tells apart {rows - 4} kinds but names {len(file.labels)} labels"
        )
    _, _, height, width = numbers
    return Input(
        width=width or file.size,
        height=height or file.size,
        stride=file.stride,
        flexible=width is None and height is None,
    )
