"""An engine made of a network from a tensor to YOLOv8's output; the rest is the same for all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from services.detector.engines.engine import (
    EngineFailed,
    EngineUnavailable,
    Findings,
    Thresholds,
    Traffic,
)
from services.detector.engines.letterbox import Floats, Input, find, place, tensor
from services.detector.model_file import Card
from shared.picture.decode import Pixels

Run = Callable[[Floats], Floats]
"""One inference; raises EngineFailed. May be called from several threads at a time."""


class NetworkEngine:
    """``alone`` runs a picture that has the machine for itself, ``shared`` one of several; the
    second is loaded when it is first needed."""

    def __init__(
        self,
        name: str,
        card: Card,
        target: Input,
        limits: Thresholds,
        *,
        alone: Run,
        shared: Callable[[], Run] | None,
        detail: str,
    ) -> None:
        self.name = name
        self.model = card.name
        self.model_sha256 = card.sha256
        self.labels = card.labels
        self.detail = detail
        self.size = (target.width, target.height)
        self._input = target
        self._limits = limits
        self._alone = alone
        self._shared = _Later(shared) if shared else alone
        self._traffic = Traffic()

    def detect(self, pixels: Pixels) -> Findings:
        start = time.perf_counter()
        frame = place(pixels.shape[1], pixels.shape[0], self._input)
        batch = tensor(pixels, frame)
        ready = time.perf_counter()
        with self._traffic.enter() as alone:
            output = (self._alone if alone else self._shared)(batch)
        inferred = time.perf_counter()
        found = find(output, frame, self.labels, self._limits)
        end = time.perf_counter()
        return Findings(
            found,
            {
                "letterbox": 1e3 * (ready - start),
                "infer": 1e3 * (inferred - ready),
                "nms": 1e3 * (end - inferred),
            },
        )


class _Later:
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


def input_of(card: Card, sides: list[Any], outputs: list[Any]) -> Input:
    """The input of a network whose shapes are these; anything but a number is free to choose.

    Raises EngineUnavailable unless it has YOLOv8's layout: a picture of 3 planes in, a table of
    4 box rows and one row per label out.
    """
    numbers = [side if isinstance(side, int) and side > 0 else None for side in sides]
    if len(numbers) != 4 or numbers[1] not in (3, None) or numbers[0] not in (1, None):
        raise EngineUnavailable(f"{card.path} does not take one picture: its input is {sides}")
    rows = outputs[1] if len(outputs) == 3 and isinstance(outputs[1], int) else None
    if len(outputs) != 3 or (rows is not None and rows < 5):
        raise EngineUnavailable(
            f"{card.path} does not have YOLOv8's output (1, 4 + labels, boxes) but {outputs};"
            " export it without nms"
        )
    if rows is not None and card.labels and rows != 4 + len(card.labels):
        raise EngineUnavailable(
            f"{card.path} tells apart {rows - 4} kinds but names {len(card.labels)} labels"
        )
    _, _, height, width = numbers
    return Input(
        width=width or card.size,
        height=height or card.size,
        stride=card.stride,
        flexible=width is None and height is None,
    )
