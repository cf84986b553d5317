"""From the output of a YOLOv8 network to detections: threshold, boxes, non-maximum suppression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from services.detector.engines.engine import Thresholds
from services.detector.engines.letterbox import Floats, Letterbox
from shared.events import Detection


def postprocess(
    output: Floats, letterbox: Letterbox, labels: Sequence[str], thresholds: Thresholds
) -> tuple[Detection, ...]:
    """The detections in an output of 1 × (4 + labels) × candidates, the surest first."""
    table = output[0]
    confidence = table[4:].max(axis=0)
    chosen = np.flatnonzero(confidence > thresholds.confidence)
    if not chosen.size:
        return ()
    # Stable, so that equal confidences come out the same on every run.
    chosen = chosen[np.argsort(-confidence[chosen], kind="stable")]
    kinds = table[4:, chosen].argmax(axis=0)
    middle, half = table[:2, chosen].T, table[2:4, chosen].T / 2
    boxes = np.concatenate((middle - half, middle + half), axis=1)
    kept = nms(boxes, kinds, thresholds.iou, thresholds.max_detections)
    fractions = _fractions(boxes[kept], letterbox)
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


def nms(boxes: Floats, kinds: npt.NDArray[np.intp], iou: float, most: int) -> npt.NDArray[np.intp]:
    """Non-maximum suppression per kind: the indices of the boxes kept, at most ``most``, of boxes
    sorted by confidence."""
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


def _fractions(boxes: Floats, letterbox: Letterbox) -> list[list[float]]:
    """Left, top, right, bottom as fractions of the picture, clipped to it."""
    shift = np.array([letterbox.left, letterbox.top] * 2, dtype=np.float32)
    scale = np.array([letterbox.scaled_width, letterbox.scaled_height] * 2, dtype=np.float32)
    inside = np.clip((boxes - shift) / scale, 0.0, 1.0)
    rounded: list[list[float]] = np.round(inside.astype(np.float64), 5).tolist()
    return rounded
