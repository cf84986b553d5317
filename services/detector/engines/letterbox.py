"""From pixels to the tensor that a YOLOv8 network reads.

Such networks are trained and measured with exactly this: the picture is scaled bilinearly to fit
and padded with grey 114. Other samplers (Pillow's average over areas) change confidences, and numpy
takes ten times as long as kornia-rs, of which nothing else is used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from kornia_rs import pipeline

from shared.picture.decode import Pixels

Floats = npt.NDArray[np.float32]

_GREY = np.float32(114 / 255)
_FULL = np.float32(255)
_AS_IS = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
"""A mean and a deviation that change nothing."""


@dataclass(frozen=True, slots=True)
class Input:
    """The input of a network. ``flexible``: any multiple of ``stride`` up to the size, so that a
    wide picture needs no padding above and below, which would be computed for nothing."""

    width: int
    height: int
    stride: int = 32
    flexible: bool = False


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where the scaled picture lies inside the network's input."""

    width: int
    height: int
    scaled_width: int
    scaled_height: int
    left: int
    top: int


def letterbox(width: int, height: int, target: Input) -> Letterbox:
    """The letterbox of a picture of this size: scaled to fit, in the middle."""
    scale = min(target.width / width, target.height / height)
    inner_w, inner_h = max(1, round(width * scale)), max(1, round(height * scale))
    outer_w, outer_h = target.width, target.height
    if target.flexible:
        outer_w = _next_multiple(inner_w, target.width, target.stride)
        outer_h = _next_multiple(inner_h, target.height, target.stride)
    # An odd pixel of padding goes to the right and below.
    left, top = (outer_w - inner_w) // 2, (outer_h - inner_h) // 2
    return Letterbox(outer_w, outer_h, inner_w, inner_h, left, top)


def _next_multiple(inner: int, most: int, stride: int) -> int:
    """The padding that remains when whole strides are taken off the full padding."""
    return inner + (most - inner) % stride


def blank(box: Letterbox) -> Floats:
    """A tensor of 1 × 3 × height × width for pictures of this letterbox, with its padding."""
    return np.full((1, 3, box.height, box.width), _GREY, dtype=np.float32)


def preprocess(pixels: Pixels, box: Letterbox, tensor: Floats) -> None:
    """Put a picture into a tensor that was ``blank``: red-green-blue, 0 to 1."""
    right, bottom = box.left + box.scaled_width, box.top + box.scaled_height
    inside = tensor[0, :, box.top : bottom, box.left : right]
    if pixels.shape[:2] == (box.scaled_height, box.scaled_width):
        planes = np.ascontiguousarray(pixels[:, :, ::-1].transpose(2, 0, 1))
        np.divide(planes, _FULL, out=inside, dtype=np.float32)
    else:
        size = (box.scaled_height, box.scaled_width)
        inside[:] = pipeline.resize_normalize_to_tensor(pixels, size, *_AS_IS)[::-1]
