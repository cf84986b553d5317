"""Whether two detectors agree on a picture: the same labels, and boxes over the same places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Box = Sequence[float]
Seen = tuple[str, float, Box]
"""Label, confidence, and left, top, right, bottom in any unit."""


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    shared = wide * high
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / (areas - shared)


def differences(
    expected: Iterable[Seen], found: Iterable[Seen], *, above: float = 0.3, iou: float = 0.9
) -> list[str]:
    """What one has above a confidence that the other does not have at any: empty if they agree."""
    expected, found = list(expected), list(found)
    told = []
    for what, ours, theirs in (("missing", expected, found), ("extra", found, expected)):
        for label, confidence, box in ours:
            if confidence < above:
                continue
            best = max((overlap(box, b) for name, _, b in theirs if name == label), default=0.0)
            if best < iou:
                told.append(f"{what}: {label} {confidence:.3f}, best overlap {best:.2f}")
    return told


def largest_gap(expected: Iterable[Seen], found: Iterable[Seen], *, above: float = 0.3) -> float:
    """The largest difference of confidence between boxes that are one."""
    found = list(found)
    gaps = [0.0]
    for label, confidence, box in expected:
        same = [c for name, c, b in found if name == label and overlap(box, b) >= 0.9]
        if confidence >= above and same:
            gaps.append(min(abs(confidence - c) for c in same))
    return max(gaps)
