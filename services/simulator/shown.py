"""What simulated cameras showed lately, so that a simulated cloud can say what is in a picture."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from services.simulator.scenes import Drawn

REMEMBERED = 500
SIZE = (48, 27)
ALIKE = 3.0
"""Grey levels, on the average of all cells: the same picture, encoded anew."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing in a picture; ``box`` is left, top, width, height as fractions."""

    label: str
    box: tuple[float, float, float, float]
    visible: float


class Shown:
    """Remembers drawn pictures by their looks. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: deque[tuple[npt.NDArray[np.float32], tuple[Thing, ...]]] = deque(
            maxlen=REMEMBERED
        )

    def note(self, drawn: Drawn) -> None:
        """Remember what is in a picture."""
        width, height = drawn.image.size
        things = tuple(
            Thing(
                each.label,
                (
                    each.box[0] / width,
                    each.box[1] / height,
                    (each.box[2] - each.box[0]) / width,
                    (each.box[3] - each.box[1]) / height,
                ),
                each.visible,
            )
            for each in drawn.figures
        )
        with self._lock:
            self._known.append((_looks(drawn.image), things))

    def things(self, image: Image.Image) -> tuple[Thing, ...] | None:
        """What is in a picture that was drawn here, of any size; None for another one."""
        looks = _looks(image)
        with self._lock:
            known = list(self._known)
        # The latest of those that look the same: they are a moment apart.
        near = [(float(np.abs(looks - each).mean()), -n) for n, (each, _) in enumerate(known)]
        difference, number = min(near, default=(ALIKE, 0))
        return known[-number][1] if difference < ALIKE else None


def _looks(image: Image.Image) -> npt.NDArray[np.float32]:
    small = image.convert("L").resize(SIZE, Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32)
