"""A perceptual hash that notices one small figure: what a picture looks like, cell by cell.

The usual hash of 64 bits is made for finding copies: somebody who fills a hundredth of the picture
does not change it. This one has up to 64 × 64 cells, and two pictures differ by their most
different cell. Each cell counts by how much lighter or darker it is than its neighbourhood, in
proportion, and by the contrast of the whole, so that clouds and a camera's exposure change little;
averaging takes the noise out.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.picture import pillow
from shared.picture.decode import Pixels

CELLS = 64
"""Along the longer side."""
MOST = 100.0
"""The difference of what can't be compared."""
_REACH = 4
_CONTRAST, _LEAST_CONTRAST = 16.0, 0.04
_DARK = 24.0
"""Grey levels; what is darker is noise rather than a difference."""
_STEP = 0.5
_GREY = np.array((0.114, 0.587, 0.299), dtype=np.float32)

_Cells = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a picture looks like: a row of cells after the other, one byte each."""

    columns: int
    rows: int
    cells: bytes

    @classmethod
    def of(cls, pixels: Pixels) -> Likeness:
        """Of blue-green-red pixels, best with a few hundred on the longer side."""
        height, width = pixels.shape[:2]
        scale = CELLS / max(width, height)
        columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
        grey = pillow.shrink(pixels, columns, rows).astype(np.float32) @ _GREY
        around = _neighbourhood(grey)
        local = (grey - around) / (around + _DARK)
        told = local * (_CONTRAST / max(_LEAST_CONTRAST, float(local.std())))
        cells = np.clip(np.rint(told / _STEP), -127, 127).astype(np.int8)
        return cls(columns, rows, cells.tobytes())

    def difference(self, other: Likeness, edge: float = 0.0) -> float:
        """How much the most different cell differs: up to 4 by noise and clouds, over 12 by
        somebody who fills a three-hundredth of the picture. ``edge`` is how much of the height does
        not count, at the top and at the bottom: cameras write the time there."""
        if (self.columns, self.rows) != (other.columns, other.rows):
            return MOST
        mine, theirs = (np.frombuffer(each.cells, dtype=np.int8) for each in (self, other))
        changed = np.abs(mine.astype(np.int16) - theirs).reshape(self.rows, self.columns)
        skipped = round(edge * self.rows)
        most = changed[skipped : self.rows - skipped].max(initial=0)
        return min(MOST, float(most) * _STEP)

    def __str__(self) -> str:
        return f"{self.columns}x{self.rows}:{base64.b64encode(self.cells).decode()}"

    @classmethod
    def read(cls, text: str) -> Likeness | None:
        """Of what ``str`` made; None for anything else, such as that of another version."""
        size, _, cells = text.partition(":")
        columns, _, rows = size.partition("x")
        try:
            made = cls(int(columns), int(rows), base64.b64decode(cells, validate=True))
        except (ValueError, binascii.Error):
            return None
        return made if len(made.cells) == made.columns * made.rows else None


def _neighbourhood(grey: _Cells) -> _Cells:
    """The mean around each cell."""
    side = 2 * _REACH + 1
    sums = np.pad(grey, _REACH, mode="edge").cumsum(0, dtype=np.float64).cumsum(1)
    sums = np.pad(sums, ((1, 0), (1, 0)))
    around = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    mean: _Cells = (around / side**2).astype(np.float32)
    return mean
