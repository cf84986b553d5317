"""Sky, hills, trees, bushes, grass and hedges, in the units of a place (1600 x 900, y down)."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from .shapes import Box, Colour, Pen, Point, mix, shade

LEAF: tuple[Colour, ...] = ((58, 104, 52), (72, 118, 58), (46, 88, 54), (88, 122, 62))
BLOOM: tuple[Colour, ...] = (
    (222, 84, 92),
    (240, 196, 76),
    (236, 230, 240),
    (168, 108, 190),
    (236, 140, 88),
)


def sky(pen: Pen, rng: random.Random, horizon: float) -> None:
    """A blue gradient with soft clouds."""
    top, low = rng.choice(
        (
            ((86, 146, 206), (206, 226, 238)),
            ((112, 160, 204), (224, 228, 226)),
            ((128, 148, 172), (212, 216, 218)),
        )
    )
    pen.gradient((-800, -400, 2400, horizon + 60), top, low)
    for _ in range(rng.randint(3, 6)):
        x, y, wide = rng.uniform(0, 1600), rng.uniform(10, horizon * 0.6), rng.uniform(90, 220)
        for _ in range(6):
            dx, dy, r = rng.uniform(-wide, wide), rng.uniform(-14, 14), rng.uniform(18, 34)
            oval = _oval((x + dx, y + dy), r * 2.6, r * 0.7)
            pen.soft(oval, (252, 252, 252), 0.4, 12)


def _oval(centre: Point, across: float, down: float) -> list[Point]:
    x, y = centre
    turn = [i * math.tau / 20 for i in range(20)]
    return [(x + across * math.cos(a), y + down * math.sin(a)) for a in turn]


def hills(pen: Pen, rng: random.Random, base: float, colour: Colour, height: float) -> None:
    """A wavy far line of hills."""
    a, b = rng.uniform(0, 6), rng.uniform(0, 6)
    line = [
        (x, base - height * (0.6 + 0.3 * math.sin(x / 310 + a) + 0.15 * math.sin(x / 97 + b)))
        for x in range(-800, 2420, 20)
    ]
    pen.polygon([(-800.0, base + 30), *line, (2400.0, base + 30)], colour)


def foliage(pen: Pen, rng: random.Random, centre: Point, reach: Point, colour: Colour) -> None:
    """A mass of leaves, dark below and light above."""
    x, y = centre
    across, down = reach
    pen.ellipse(centre, across * 0.92, down * 0.9, shade(colour, 0.62))
    count = round(70 + 0.5 * (across + down))
    leaves = []
    for _ in range(count):
        angle, far = rng.uniform(0, math.tau), math.sqrt(rng.random())
        leaves.append((far * math.cos(angle), far * math.sin(angle), rng.uniform(0.75, 1.25)))
    leaf = 3.5 + 0.085 * min(across, down)
    for dx, dy, size in sorted(leaves, key=lambda item: -item[1]):
        light = 0.78 + 0.3 * (-dy * 0.7 - dx * 0.3) + rng.uniform(-0.09, 0.09)
        spot = (x + dx * across * 0.95, y + dy * down * 0.95)
        pen.ellipse(spot, leaf * size, leaf * size * 0.8, shade(colour, light))


def tree(pen: Pen, rng: random.Random, foot: Point, height: float) -> None:
    """A broad-leaved tree."""
    x, y = foot
    trunk: Colour = rng.choice(((92, 70, 52), (110, 92, 76), (76, 62, 54)))
    wide = height * 0.035
    pen.polygon(
        (
            (x - wide * 1.4, y),
            (x + wide * 1.4, y),
            (x + wide * 0.6, y - height * 0.6),
            (x - wide * 0.6, y - height * 0.6),
        ),
        trunk,
    )
    colour = rng.choice(LEAF)
    for dx, dy, size in ((-0.18, 0.55, 0.2), (0.18, 0.58, 0.2), (0.0, 0.75, 0.26)):
        centre = (x + dx * height, y - dy * height)
        foliage(pen, rng, centre, (size * height, size * height * 0.85), colour)


def bush(pen: Pen, rng: random.Random, foot: Point, size: float, flowers: bool) -> None:
    """A round bush, maybe in bloom, with its shadow on the ground."""
    x, y = foot
    pen.soft(_oval((x + size * 0.25, y), size * 1.1, size * 0.22), (22, 30, 20), 0.5, size * 0.12)
    foliage(pen, rng, (x, y - size * 0.62), (size, size * 0.66), rng.choice(LEAF))
    if flowers:
        bloom = rng.choice(BLOOM)
        for _ in range(16):
            spot = (x + rng.uniform(-0.8, 0.8) * size, y - rng.uniform(0.25, 1.1) * size)
            pen.ellipse(spot, 4.5, 4, shade(bloom, rng.uniform(0.85, 1.1)))


def hedge(pen: Pen, rng: random.Random, box: Box, colour: Colour) -> None:
    """A clipped hedge."""
    left, top, right, bottom = box
    pen.gradient(box, shade(colour, 1.05), shade(colour, 0.5))
    size = (bottom - top) * 0.055
    for _ in range(round((right - left) * (bottom - top) / 130)):
        x, y = rng.uniform(left, right), rng.uniform(top - 3, bottom)
        light = 1.2 - 0.65 * (y - top) / (bottom - top) + rng.uniform(-0.12, 0.12)
        pen.ellipse((x, y), size * rng.uniform(0.7, 1.3), size * 0.8, shade(colour, light))
    pen.soft(
        ((left, bottom - 4), (right, bottom - 4), (right, bottom + 14), (left, bottom + 14)),
        (20, 26, 18),
        0.5,
        7,
    )


def ground(pen: Pen, rng: random.Random, top: float, near: Colour) -> None:
    """The ground, paler in the distance."""
    pen.gradient((-800, top, 2400, 1300), mix(near, (176, 188, 160), 0.35), near)
    for _ in range(34):
        y = top + 20 + (900 - top) * rng.random() ** 0.7
        deep = (y - top) / (900 - top)
        spot = _oval((rng.uniform(-100, 1700), y), 60 + 190 * deep, 6 + 26 * deep)
        pen.soft(spot, shade(near, rng.choice((0.8, 1.2))), 0.35, 8 + 14 * deep)


def blades(
    pen: Pen,
    rng: random.Random,
    area: Sequence[Box],
    colour: Colour,
    horizon: float,
    share: float = 1.0,
) -> None:
    """Blades of grass (or grains of gravel) all over the areas."""
    for left, top, right, bottom in area:
        for _ in range(round(share * (right - left) * (bottom - top) / 170)):
            x, y = rng.uniform(left, right), rng.uniform(top, bottom)
            long = 1.5 + 0.016 * (y - horizon)
            tip = (x + rng.uniform(-0.5, 0.5) * long, y - long * rng.uniform(0.6, 1.3))
            pen.line(((x, y), tip), 1.0, shade(colour, rng.uniform(0.74, 1.26)))


def grains(
    pen: Pen, rng: random.Random, edges: Sequence[Point], colour: Colour, count: int
) -> None:
    """Grains of gravel or asphalt between two lines: left top, right top, right low, left low."""
    (lx, top), (rx, _), (rx2, low), (lx2, _) = edges
    for _ in range(count):
        t = rng.random() ** 0.7
        y = top + (low - top) * t
        x = rng.uniform(lx + (lx2 - lx) * t, rx + (rx2 - rx) * t)
        size = 0.7 + 1.5 * t
        pen.ellipse((x, y), size * 1.5, size * 0.8, shade(colour, rng.uniform(0.76, 1.22)))
