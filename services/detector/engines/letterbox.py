"""From pixels to the tensor a YOLOv8 network reads, and from its output back to boxes.

The arithmetic is what such networks are trained and measured with: the picture is scaled
bilinearly to fit, padded with grey 114, and boxes of one label that overlap are merged. OpenCV
does the scaling because it takes 0.4 ms where numpy takes 5, and because other samplers (Pillow's
average over areas) move confidences; nothing else of it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from services.detector.engines.engine import Thresholds
from shared.events import Detection
from shared.picture.decode import Pixels

Floats = npt.NDArray[np.float32]

_GREY = 114


@dataclass(frozen=True, slots=True)
class Input:
    """What the network reads. ``flexible``: any multiple of ``stride`` up to the size, so that a
    wide picture needs no grey above and below, which would be computed for nothing."""

    width: int
    height: int
    stride: int = 32
    flexible: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a picture lies inside the network's input."""

    width: int
    height: int
    scaled_width: int
    scaled_height: int
    left: int
    top: int


def place(width: int, height: int, target: Input) -> Frame:
    """The frame for a picture of this size: scaled to fit, in the middle."""
    scale = min(target.width / width, target.height / height)
    inner_w, inner_h = max(1, round(width * scale)), max(1, round(height * scale))
    outer_w, outer_h = target.width, target.height
    if target.flexible:
        outer_w = _next_multiple(inner_w, target.width, target.stride)
        outer_h = _next_multiple(inner_h, target.height, target.stride)
    # An odd pixel of padding goes to the right and below.
    left, top = (outer_w - inner_w) // 2, (outer_h - inner_h) // 2
    return Frame(outer_w, outer_h, inner_w, inner_h, left, top)


def _next_multiple(inner: int, most: int, stride: int) -> int:
    """The padding kept is what is left of the full one after whole strides are taken away."""
    return inner + (most - inner) % stride


def tensor(pixels: Pixels, frame: Frame) -> Floats:
    """1 × 3 × height × width, red-green-blue, 0 to 1."""
    size = (frame.scaled_width, frame.scaled_height)
    if size != (pixels.shape[1], pixels.shape[0]):
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    canvas = np.full((frame.height, frame.width, 3), _GREY, dtype=np.uint8)
    canvas[
        frame.top : frame.top + frame.scaled_height, frame.left : frame.left + frame.scaled_width
    ] = pixels
    planes = np.ascontiguousarray(canvas[:, :, ::-1].transpose(2, 0, 1))
    return np.divide(planes, np.float32(255.0), dtype=np.float32)[None]


def find(
    output: Floats, frame: Frame, labels: Sequence[str], limits: Thresholds
) -> tuple[Detection, ...]:
    """The detections in a network's output of 1 × (4 + labels) × candidates."""
    table = output[0]
    confidence = table[4:].max(axis=0)
    chosen = np.flatnonzero(confidence > limits.confidence)
    if not chosen.size:
        return ()
    # Stable, so that equal confidences come out the same on every run.
    chosen = chosen[np.argsort(-confidence[chosen], kind="stable")]
    kinds = table[4:, chosen].argmax(axis=0)
    middle, half = table[:2, chosen].T, table[2:4, chosen].T / 2
    boxes = np.concatenate((middle - half, middle + half), axis=1)
    kept = suppress(boxes, kinds, limits.iou, limits.most)
    fractions = _fractions(boxes[kept], frame)
    return tuple(
        Detection(
            label=labels[kind] if kind < len(labels) else f"class {kind}",
            confidence=round(min(1.0, float(sure)), 4),
            box=(box[0], box[1], box[2], box[3]),
        )
        for kind, sure, box in zip(
            kinds[kept].tolist(), confidence[chosen[kept]].tolist(), fractions, strict=True
        )
    )


def suppress(
    boxes: Floats, kinds: npt.NDArray[np.intp], iou: float, most: int
) -> npt.NDArray[np.intp]:
    """Which boxes remain, of boxes sorted by confidence, when each drops those of its kind that
    it overlaps."""
    left, top, right, bottom = boxes.T
    areas = (right - left) * (bottom - top)
    waiting = np.arange(len(boxes))
    kept: list[int] = []
    while waiting.size and len(kept) < most:
        best, waiting = waiting[0], waiting[1:]
        kept.append(int(best))
        wide = np.minimum(right[best], right[waiting]) - np.maximum(left[best], left[waiting])
        high = np.minimum(bottom[best], bottom[waiting]) - np.maximum(top[best], top[waiting])
        shared = np.maximum(wide, 0) * np.maximum(high, 0)
        apart = shared <= iou * (areas[best] + areas[waiting] - shared)
        waiting = waiting[apart | (kinds[waiting] != kinds[best])]
    return np.asarray(kept, dtype=np.intp)


def _fractions(boxes: Floats, frame: Frame) -> list[list[float]]:
    """Left, top, right, bottom as fractions of the picture, inside it."""
    shift = np.array([frame.left, frame.top] * 2, dtype=np.float32)
    scale = np.array([frame.scaled_width, frame.scaled_height] * 2, dtype=np.float32)
    inside = np.clip((boxes - shift) / scale, 0.0, 1.0)
    rounded: list[list[float]] = np.round(inside.astype(np.float64), 5).tolist()
    return rounded
