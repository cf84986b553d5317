"""How good a model file is: precision and recall on drawn scenes nobody trained on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from services.simulator.drawing.shapes import chance
from services.simulator.scenes import LABELS, Drawn, Scene

from .samples import letterbox

SIDE = 640
SAME = 0.7  # boxes of a label that overlap more are one, as the detector service has it


@dataclass(slots=True)
class Tally:
    """What was found, missed and invented."""

    found: int = 0
    missed: int = 0
    invented: int = 0
    overlaps: list[float] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.found / max(1, self.found + self.invented)

    @property
    def recall(self) -> float:
        return self.found / max(1, self.found + self.missed)


def held_out(count: int, seed: str = "held-out") -> Iterator[Drawn]:
    """Scenes as the simulated cameras draw them, of cameras and hours not trained on."""
    shapes = ((1280, 720), (1280, 720), (1920, 1080), (640, 480), (800, 600))
    for number in range(count):
        rng = chance(seed, number // 4)
        if number % 4 == 0:
            camera = rng.choice(("porch", "gate", "yard", f"{seed}-{number}", f"{seed}-{number}"))
            scene = Scene(camera, rng.choice(shapes))
        moment = datetime(2026, 6, 1, tzinfo=UTC)
        yield scene.at(moment + timedelta(seconds=chance(seed, number, "t").randrange(15_000_000)))


class Model:
    """A model file with YOLOv8's layout, run by ONNX Runtime."""

    def __init__(self, path: Path, threads: int = 2) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self.milliseconds: list[float] = []

    def detect(self, image: Image.Image, least: float) -> list[tuple[int, float, np.ndarray]]:
        """Label number, score and corners in the picture's pixels, the best first."""
        whole, scale, left, top = letterbox(image, (SIDE, SIDE))
        pixels = np.asarray(whole, np.float32).transpose(2, 0, 1)[None] / 255
        start = time.perf_counter()
        (out,) = self._session.run(["output0"], {"images": np.ascontiguousarray(pixels)})
        self.milliseconds.append((time.perf_counter() - start) * 1000)
        rows = out[0].T
        rows = rows[rows[:, 4:].max(1) >= least]
        corners = np.concatenate(
            (rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2), 1
        )
        corners = (corners - np.array((left, top, left, top))) / scale
        found = zip(rows[:, 4:].argmax(1), rows[:, 4:].max(1), corners, strict=True)
        return _best([(int(label), float(score), box) for label, score, box in found])


def _best(found: list[tuple[int, float, np.ndarray]]) -> list[tuple[int, float, np.ndarray]]:
    kept: list[tuple[int, float, np.ndarray]] = []
    for one in sorted(found, key=lambda item: -item[1]):
        if all(one[0] != other[0] or iou(one[2], other[2]) < SAME for other in kept):
            kept.append(one)
    return kept


def iou(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boxes given by their corners."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0.0, wide) * max(0.0, high)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return float(both / (sum(areas) - both + 1e-9))


def compare(found: list[tuple[int, float, np.ndarray]], drawn: Drawn, tallies: list[Tally]) -> None:
    """Counts what agrees with the truth; figures hidden by more than half may be found or not."""
    left = list(drawn.figures)
    for label, _, box in found:
        fitting = [
            (iou(box, np.array(figure.box)), number)
            for number, figure in enumerate(left)
            if figure.label == LABELS[label]
        ]
        best, number = max(fitting, default=(0.0, -1))
        if best < 0.5:
            tallies[label].invented += 1
            continue
        figure = left.pop(number)
        if figure.visible >= 0.5:
            tallies[label].found += 1
            tallies[label].overlaps.append(best)
    for figure in left:
        tallies[LABELS.index(figure.label)].missed += figure.visible >= 0.5


def report(path: Path, count: int, least: float) -> list[str]:
    """Lines that say how good the model is on so many held-out scenes."""
    model, tallies = Model(path), [Tally() for _ in LABELS]
    for drawn in held_out(count):
        compare(model.detect(drawn.image, least), drawn, tallies)
    every = Tally(
        sum(t.found for t in tallies),
        sum(t.missed for t in tallies),
        sum(t.invented for t in tallies),
        [value for t in tallies for value in t.overlaps],
    )
    lines = [f"{count} held-out scenes, score at least {least}, IoU at least 0.5:"]
    for name, tally in zip((*LABELS, "all"), (*tallies, every), strict=True):
        lines.append(
            f"  {name:7} precision {tally.precision:.3f}  recall {tally.recall:.3f}"
            f"  of {tally.found + tally.missed}, mean IoU {np.mean(tally.overlaps or [0]):.3f}"
        )
    size, quick = path.stat().st_size, float(np.median(model.milliseconds))
    return [*lines, f"  {size / 1e6:.3f} MB, {quick:.1f} ms a picture on two threads"]
