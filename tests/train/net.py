"""The net: a small convolutional detector without anchors, and its export to ONNX."""

from __future__ import annotations

import torch
from torch import Tensor, nn

STRIDES = (16, 32)
REACH = 3.0  # strides from a cell to a side of its box before anything is learned
CLEAR = 0.9  # a cell loses to one of the other map that is better by this factor


def _conv(inside: int, outside: int, kernel: int, stride: int = 1) -> nn.Sequential:
    pad = 0 if kernel == stride else kernel // 2
    return nn.Sequential(
        nn.Conv2d(inside, outside, kernel, stride, pad, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )


class _Block(nn.Module):  # type: ignore[misc,unused-ignore]
    """A convolution whose input is added to its output."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = _conv(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class FigureNet(nn.Module):  # type: ignore[misc,unused-ignore]
    """Pictures (RGB, 0 to 1) to rows of cx, cy, w, h in pixels and a score for each label.

    While training it gives, per stride, the raw map: four log distances and the score logits.
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        # A step of 4 pixels at once keeps the costly large maps out of the net.
        self.quarter = _conv(3, 16, 4, 4)
        self.eighth = _conv(16, 32, 3, 2)
        self.near = nn.Sequential(_conv(32, 56, 3, 2), _Block(56), _Block(56))
        self.far = nn.Sequential(_conv(56, 64, 3, 2), _Block(64))
        self.round = nn.Sequential(nn.AvgPool2d(2), _conv(64, 64, 3))
        self.far_to_near = nn.Conv2d(64, 56, 1)
        self.merge = _Block(56)
        self.head_near = nn.Conv2d(56, 4 + labels, 1)
        self.head_far = nn.Conv2d(64, 4 + labels, 1)
        for head in (self.head_near, self.head_far):
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
            nn.init.constant_(head.bias[4:], -4.0)  # nearly all cells show nothing

    def forward(self, images: Tensor) -> list[Tensor] | Tensor:
        near = self.near(self.eighth(self.quarter(images)))
        far = self.far(near)
        far = far + nn.functional.interpolate(self.round(far), scale_factor=2.0)
        beside = nn.functional.interpolate(self.far_to_near(far), scale_factor=2.0)
        maps = [self.head_near(self.merge(near + beside)), self.head_far(far)]
        if self.training:
            return maps
        scores = _peaks(*(one[:, 4:].sigmoid() for one in maps))
        parts = zip(maps, scores, STRIDES, strict=True)
        return torch.cat([_rows(one[:, :4], score, step) for one, score, step in parts], 2)


def _peaks(near: Tensor, far: Tensor) -> tuple[Tensor, Tensor]:
    """The scores, those of cells beside a better one set to 0, so that each figure has one box.

    Figures that stand close often overlap more than two boxes of one figure do; taking the peaks
    here leaves little for the suppression of overlapping boxes to get wrong.
    """
    around = nn.functional.max_pool2d(near, 3, 1, 1)
    beneath = nn.functional.max_pool2d(near, 4, 2, 1)
    above = nn.functional.interpolate(far, scale_factor=2.0)
    near_best = (near >= around) & (near >= CLEAR * above)
    far_best = (far >= nn.functional.max_pool2d(far, 3, 1, 1)) & (far >= CLEAR * beneath)
    return near * near_best.float(), far * far_best.float()


def centres(high: int, wide: int, stride: int) -> tuple[Tensor, Tensor]:
    """The middles of the cells of a map, in pixels of the picture."""
    y, x = torch.meshgrid(torch.arange(high), torch.arange(wide), indexing="ij")
    return (x.flatten() + 0.5) * stride, (y.flatten() + 0.5) * stride


def boxes(distances: Tensor, stride: int, x: Tensor, y: Tensor) -> Tensor:
    """Log distances [batch, 4, cells] to sides, as left, top, right, bottom in pixels."""
    far = torch.exp(distances.clamp(-4, 3)) * (stride * REACH)
    return torch.stack((x - far[:, 0], y - far[:, 1], x + far[:, 2], y + far[:, 3]), 1)


def _rows(distances: Tensor, scores: Tensor, stride: int) -> Tensor:
    x, y = centres(distances.shape[2], distances.shape[3], stride)
    left, top, right, low = boxes(distances.flatten(2), stride, x, y).unbind(1)
    box = torch.stack(((left + right) / 2, (top + low) / 2, right - left, low - top), 1)
    return torch.cat((box, scores.flatten(2)), 1)
