"""What the net should answer in each cell, and how wrong it is."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .net import STRIDES, boxes, centres

# Longest side in pixels of the figures each stride answers for; in the overlap both do.
SIZES = ((0.0, 190.0), (120.0, 1e6))
SEEN = 0.5  # a figure must be visible by this share to be asked for
HIDDEN = 0.08  # between the two, no answer is wrong


def _targets(
    rows: Tensor, x: Tensor, y: Tensor, stride: int, sizes: tuple[float, float]
) -> tuple[Tensor, Tensor]:
    """For each cell the number of its figure (or -1), and whether the cell is left out."""
    free = torch.full(x.shape, -1, dtype=torch.long)
    left_out = torch.zeros(x.shape, dtype=torch.bool)
    if len(rows) == 0:
        return free, left_out
    _, cx, cy, w, h, seen = rows.unsqueeze(2).unbind(1)
    dx, dy = (x - cx).abs(), (y - cy).abs()
    reach_x = torch.clamp(0.3 * w, min=0.55 * stride, max=1.3 * stride)
    reach_y = torch.clamp(0.3 * h, min=0.55 * stride, max=1.3 * stride)
    longest = torch.maximum(w, h)
    mine = (longest >= sizes[0]) & (longest < sizes[1])
    hit = (dx < reach_x) & (dy < reach_y) & mine
    inside = (dx < w / 2) & (dy < h / 2)
    left_out = (inside & (seen < SEEN) & (seen > HIDDEN)).any(0)
    distance = torch.where(hit & (seen >= SEEN), dx / reach_x + dy / reach_y, torch.inf)
    least, which = distance.min(0)
    chosen = torch.where(torch.isfinite(least), which, free)
    return chosen, left_out & (chosen < 0)


def overlap(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and generalised IoU of boxes [n, 4] given by their corners."""
    wide, high = (
        torch.minimum(one[:, 2 + i], other[:, 2 + i]) - torch.maximum(one[:, i], other[:, i])
        for i in (0, 1)
    )
    both = wide.clamp(min=0) * high.clamp(min=0)
    areas = [(b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) for b in (one, other)]
    union = areas[0] + areas[1] - both + 1e-6
    hull_wide, hull_high = (
        torch.maximum(one[:, 2 + i], other[:, 2 + i]) - torch.minimum(one[:, i], other[:, i])
        for i in (0, 1)
    )
    hull = hull_wide * hull_high + 1e-6
    return both / union, both / union - (hull - union) / hull


def loss(maps: list[Tensor], truth: list[Tensor]) -> tuple[Tensor, float]:
    """The loss of a batch; also the mean IoU of the boxes in the cells that have a figure."""
    scores, box_loss, positives, overlaps = torch.zeros(()), torch.zeros(()), 0, 0.0
    for one, stride, sizes in zip(maps, STRIDES, SIZES, strict=True):
        x, y = centres(one.shape[2], one.shape[3], stride)
        flat = one.flatten(2)
        corners = boxes(flat[:, :4], stride, x, y).transpose(1, 2)
        logits = flat[:, 4:].transpose(1, 2)
        wanted = torch.zeros_like(logits)
        weight = torch.ones_like(logits)
        for i, rows in enumerate(truth):
            chosen, left_out = _targets(rows, x, y, stride, sizes)
            weight[i, left_out] = 0.0
            cells = torch.nonzero(chosen >= 0).squeeze(1)
            if len(cells) == 0:
                continue
            figure = rows[chosen[cells]]
            half = figure[:, 3:5] / 2
            real = torch.cat((figure[:, 1:3] - half, figure[:, 1:3] + half), 1)
            iou, giou = overlap(corners[i, cells], real)
            # A score says how good the box is, not only that something is there.
            label = figure[:, 0].long()
            wanted[i, cells, label] = 0.4 + 0.6 * iou.detach().clamp(0, 1)
            weight[i, cells, label] = 1.5
            box_loss = box_loss + (1 - giou).sum()
            positives, overlaps = positives + len(cells), overlaps + float(iou.detach().sum())
        bce = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
        focus = (logits.detach().sigmoid() - wanted).abs()
        scores = scores + (bce * focus * weight).sum()
    count = max(1, positives)
    return 2.5 * scores / count + 2.0 * box_loss / count, overlaps / count
