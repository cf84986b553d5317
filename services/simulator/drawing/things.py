"""Cars, cats and parcels in metres."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Literal

from .shapes import Colour, Pen, mix, shade

PAINT: tuple[Colour, ...] = (
    (176, 40, 40),
    (38, 74, 130),
    (208, 210, 212),
    (52, 56, 62),
    (120, 128, 136),
    (236, 234, 226),
    (44, 96, 84),
    (206, 150, 52),
    (92, 48, 58),
    (104, 142, 176),
)
FUR: tuple[Colour, ...] = (
    (206, 134, 66),
    (58, 54, 54),
    (148, 140, 132),
    (226, 218, 204),
    (122, 92, 66),
)
GLASS: Colour = (62, 78, 92)
TYRE: Colour = (34, 34, 36)


@dataclass(frozen=True, slots=True)
class Car:
    """How one car looks; `roof` is its height, `tail` and `nose` the ends of the roof."""

    paint: Colour
    roof: float
    tail: float
    nose: float
    view: Literal["side", "front", "back"]


@dataclass(frozen=True, slots=True)
class Cat:
    """How one cat looks and sits."""

    fur: Colour
    belly: Colour
    striped: bool
    sitting: bool


def some_car(rng: random.Random, view: Literal["side", "front", "back"]) -> Car:
    """A saloon, a hatchback, an off-roader or a van."""
    roof, tail, nose = rng.choice(
        ((1.44, -1.0, 0.35), (1.48, -1.7, 0.3), (1.68, -1.85, 0.45), (1.9, -2.05, 0.95))
    )
    return Car(shade(rng.choice(PAINT), rng.uniform(0.9, 1.08)), roof, tail, nose, view)


def some_cat(rng: random.Random) -> Cat:
    """A cat, walking or sitting."""
    fur = rng.choice(FUR)
    return Cat(fur, mix(fur, (246, 240, 230), 0.5), rng.random() < 0.5, rng.random() < 0.35)


def draw_car(pen: Pen, car: Car) -> None:
    """Draws the car standing on the pen's zero."""
    if car.view == "side":
        _car_side(pen, car)
    else:
        _car_end(pen, car)


def _car_side(pen: Pen, car: Car) -> None:
    dark, r = shade(car.paint, 0.62), car.roof
    pen.polygon(((-2.0, 0.2), (2.0, 0.2), (2.05, 0.4), (-2.05, 0.4)), (28, 28, 30))
    body = (
        (-2.16, 0.32),
        (-2.22, 0.7),
        (-2.16, 0.96),
        (min(car.tail - 0.18, -1.4), 1.02),
        (car.tail, r - 0.05),
        ((car.tail + car.nose) / 2, r),
        (car.nose, r - 0.06),
        (car.nose + 0.62, 1.03),
        (1.75, 0.92),
        (2.14, 0.76),
        (2.2, 0.45),
        (2.12, 0.3),
    )
    pen.blob(body, car.paint)
    pen.polygon(((-2.18, 0.32), (2.16, 0.32), (2.19, 0.52), (-2.2, 0.52)), dark)
    pen.line(((-2.12, 0.8), (2.0, 0.74)), 0.025, shade(car.paint, 1.25))
    middle = (car.tail + car.nose) / 2 - 0.05
    _panes(pen, car, middle)
    for x in (middle, car.nose + 0.42):
        pen.line(((x, 1.0), (x - 0.03, 0.45)), 0.018, dark)
    pen.limb(((middle + 0.12, 0.88), (middle + 0.26, 0.88)), 0.035, shade(car.paint, 0.7))
    pen.ellipse((2.08, 0.72), 0.09, 0.07, (250, 244, 214))
    pen.ellipse((-2.14, 0.8), 0.06, 0.09, (190, 34, 30))
    for x in (-1.36, 1.36):
        pen.ellipse((x, 0.36), 0.41, 0.41, (26, 26, 28))
        pen.ellipse((x, 0.33), 0.33, 0.33, TYRE)
        pen.ellipse((x, 0.33), 0.21, 0.21, (176, 180, 184))
        pen.ellipse((x, 0.33), 0.07, 0.07, (96, 98, 102))


def _panes(pen: Pen, car: Car, middle: float) -> None:
    top = car.roof - 0.13
    panes = (
        (
            (car.tail + 0.1, top),
            (middle - 0.06, top + 0.03),
            (middle - 0.06, 1.02),
            (car.tail - 0.2, 1.02),
        ),
        (
            (middle + 0.06, top + 0.03),
            (car.nose - 0.04, top),
            (car.nose + 0.46, 1.02),
            (middle + 0.06, 1.02),
        ),
    )
    for pane in panes:
        pen.polygon(pane, GLASS)
        x, y = pane[0]
        pen.polygon(
            ((x + 0.12, y), (x + 0.34, y), (x + 0.1, 1.03), (x - 0.08, 1.03)), shade(GLASS, 1.35)
        )


def _car_end(pen: Pen, car: Car) -> None:
    r, front = car.roof, car.view == "front"
    for x in (-0.72, 0.72):
        pen.round_box((x - 0.13, 0.0, x + 0.13, 0.5), 0.05, TYRE)
    body = (
        (-0.86, 0.24),
        (-0.92, 0.6),
        (-0.88, 0.92),
        (-0.72, r - 0.12),
        (-0.4, r),
        (0.4, r),
        (0.72, r - 0.12),
        (0.88, 0.92),
        (0.92, 0.6),
        (0.86, 0.24),
    )
    pen.blob(body, car.paint)
    pen.polygon(((-0.87, 0.22), (0.87, 0.22), (0.9, 0.46), (-0.9, 0.46)), shade(car.paint, 0.6))
    glass = ((-0.6, r - 0.12), (0.6, r - 0.12), (0.74, 0.98), (-0.74, 0.98))
    pen.polygon(glass, GLASS)
    pen.polygon(
        ((-0.42, r - 0.13), (-0.1, r - 0.13), (-0.4, 0.99), (-0.66, 0.99)), shade(GLASS, 1.35)
    )
    pen.line(((-0.82, 0.94), (0.82, 0.94)), 0.02, shade(car.paint, 0.75))
    lamp: Colour = (250, 244, 214) if front else (188, 36, 32)
    for x in (-0.66, 0.66):
        pen.ellipse((x, 0.72), 0.17, 0.085, shade(lamp, 0.7))
        pen.ellipse((x, 0.72), 0.13, 0.065, lamp)
        pen.ellipse((x * 1.46, 1.02), 0.09, 0.065, shade(car.paint, 0.85))
    if front:
        pen.round_box((-0.38, 0.6, 0.38, 0.78), 0.06, (32, 34, 38))
        pen.line(((-0.36, 0.69), (0.36, 0.69)), 0.018, (150, 152, 156))
    pen.box((-0.26, 0.36, 0.26, 0.48), (232, 232, 226))


def draw_cat(pen: Pen, cat: Cat, stride: float) -> None:
    """Draws the cat on the pen's zero, looking to the right."""
    if cat.sitting:
        _cat_sitting(pen, cat)
    else:
        _cat_walking(pen, cat, stride)


def _cat_walking(pen: Pen, cat: Cat, stride: float) -> None:
    dark = shade(cat.fur, 0.74)
    swing = 0.07 * math.sin(stride)
    pen.limb(((-0.25, 0.27), (-0.33, 0.28), (-0.4, 0.34), (-0.43, 0.43), (-0.41, 0.5)), 0.05, dark)
    legs = (
        (-0.16, swing, dark),
        (0.15, -swing, dark),
        (-0.22, -swing, cat.fur),
        (0.2, swing, cat.fur),
    )
    for x, way, colour in legs:
        pen.limb(((x, 0.2), (x + way * 0.4 - 0.015, 0.11), (x + way, 0.03)), 0.065, colour)
        pen.ellipse((x + way + 0.02, 0.025), 0.04, 0.025, shade(colour, 1.1))
    body = (
        (-0.3, 0.25),
        (-0.24, 0.345),
        (-0.1, 0.33),
        (0.06, 0.325),
        (0.22, 0.36),
        (0.3, 0.3),
        (0.24, 0.17),
        (0.06, 0.15),
        (-0.1, 0.16),
        (-0.24, 0.15),
    )
    pen.blob(body, cat.fur)
    pen.blob(((-0.12, 0.18), (0.05, 0.185), (0.2, 0.2), (0.14, 0.155), (-0.08, 0.16)), cat.belly)
    if cat.striped:
        for x in (-0.2, -0.12, -0.04, 0.04, 0.12):
            pen.line(((x, 0.335), (x - 0.015, 0.25)), 0.022, dark)
    pen.limb(((0.22, 0.3), (0.3, 0.37)), 0.12, cat.fur)
    _cat_head(pen, cat, 0.32, 0.39)


def _cat_sitting(pen: Pen, cat: Cat) -> None:
    dark = shade(cat.fur, 0.72)
    pen.limb(((-0.14, 0.05), (-0.28, 0.03), (-0.34, 0.1)), 0.045, dark)
    pen.blob(
        ((-0.17, 0.02), (-0.19, 0.15), (-0.07, 0.34), (0.06, 0.4), (0.12, 0.28), (0.12, 0.02)),
        cat.fur,
    )
    pen.blob(((0.03, 0.05), (0.04, 0.3), (0.1, 0.32), (0.12, 0.05)), cat.belly)
    if cat.striped:
        for y in (0.14, 0.21, 0.28):
            pen.line(((-0.17 + 0.3 * (y - 0.1), y), (-0.06, y + 0.02)), 0.018, dark)
    pen.limb(((0.09, 0.2), (0.1, 0.03)), 0.05, cat.fur)
    _cat_head(pen, cat, 0.09, 0.45)


def _cat_head(pen: Pen, cat: Cat, x: float, y: float) -> None:
    for dx in (-0.055, 0.05):
        ear = ((x + dx - 0.04, y + 0.04), (x + dx, y + 0.125), (x + dx + 0.04, y + 0.04))
        pen.polygon(ear, shade(cat.fur, 0.82))
    pen.ellipse((x, y), 0.1, 0.088, cat.fur)
    pen.ellipse((x + 0.03, y - 0.034), 0.05, 0.036, cat.belly)
    pen.ellipse((x + 0.04, y - 0.018), 0.014, 0.01, (190, 120, 116))
    for dx in (-0.015, 0.06):
        pen.ellipse((x + dx, y + 0.014), 0.017, 0.02, (206, 200, 96))
        pen.ellipse((x + dx + 0.003, y + 0.014), 0.007, 0.016, (30, 28, 26))


def draw_parcel(pen: Pen) -> None:
    """Draws a cardboard box with a strip of tape."""
    pen.polygon(((-0.24, 0), (0.24, 0), (0.24, 0.3), (-0.24, 0.3)), (184, 142, 92))
    pen.polygon(((-0.24, 0.3), (0.24, 0.3), (0.19, 0.4), (-0.19, 0.4)), (208, 168, 116))
    pen.polygon(((-0.04, 0), (0.04, 0), (0.035, 0.4), (-0.035, 0.4)), (222, 198, 154))
    pen.box((0.08, 0.06, 0.2, 0.15), (236, 234, 228))
