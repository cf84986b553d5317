"""The gate: brick pillars and iron leaves in a hedge, a drive that leads away through fields."""

from __future__ import annotations

import random

from .nature import blades, bush, grains, ground, hedge, hills, sky, tree
from .place import Lamp, Place, Spot
from .shapes import Colour, Pen, Point, mix, shade

BRICK: tuple[Colour, ...] = ((158, 88, 68), (172, 118, 88), (168, 162, 152), (138, 74, 64))


def gate() -> Place:
    """The place of the gate."""
    return Place(
        horizon=335,
        camera_height=2.7,
        paint=_paint,
        routes=(
            ((805, 500), (810, 610), (790, 740), (700, 1020)),
            ((900, 1040), (850, 760), (812, 620), (806, 490)),
            ((-170, 800), (560, 770), (800, 640), (806, 500)),
            ((-170, 860), (700, 830), (1770, 850)),
            ((1770, 760), (1100, 760), (820, 640), (806, 500)),
            ((1780, 880), (1000, 760), (-170, 780)),
        ),
        cat_routes=(
            ((-100, 730), (480, 700), (900, 730), (1300, 700), (1700, 730)),
            ((1180, 690), (1000, 780), (640, 850), (300, 1000)),
        ),
        spots=(
            Spot((800, 760), "front"),
            Spot((1275, 800), "side"),
            Spot((330, 800), "side"),
            Spot((815, 690), "back"),
        ),
        parcels=((1010, 690), (590, 690)),
        lamps=(Lamp((545, 440), 520, 0.75), Lamp((1060, 440), 520, 0.75)),
        panes=(),
        infrared=True,
    )


def _paint(pen: Pen, rng: random.Random, lit: bool) -> None:
    sky(pen, rng, 360)
    hills(pen, rng, 352, (132, 156, 168), 74)
    hills(pen, rng, 368, (112, 146, 124), 48)
    grass: Colour = rng.choice(((104, 140, 74), (126, 142, 76), (94, 130, 72)))
    ground(pen, rng, 360, grass)
    for y, height in ((378, 15), (408, 22)):
        for _ in range(15):
            tree(pen, rng, (rng.uniform(-60, 1660), y), height * rng.uniform(3.4, 5.4))
    _fields(pen, rng)
    tree(pen, rng, (rng.uniform(40, 200), 540), rng.uniform(390, 470))
    tree(pen, rng, (rng.uniform(1400, 1540), 530), rng.uniform(340, 430))
    _drive(pen, rng)
    green: Colour = rng.choice(((62, 104, 56), (76, 112, 60), (54, 92, 58)))
    hedge(pen, rng, (-800, 488, 520, 650), green)
    hedge(pen, rng, (1085, 488, 2400, 650), green)
    blades(pen, rng, ((-20, 665, 545, 742), (1060, 665, 1620, 742)), grass, 335)
    _leaves(pen)
    brick = rng.choice(BRICK)
    for x in (545.0, 1060.0):
        _pillar(pen, rng, x, brick, lit)
    for x in (430, 1180, 120, 1490):
        bush(pen, rng, (x + rng.uniform(-40, 40), 676), rng.uniform(24, 44), rng.random() < 0.7)


def _fields(pen: Pen, rng: random.Random) -> None:
    for left, right in ((-100, 640), (960, 1700)):
        tone = rng.choice(((196, 180, 108), (150, 168, 90), (128, 152, 84)))
        pen.soft(((left, 424), (right, 420), (right, 462), (left, 476)), tone, 0.85, 8)


def _drive(pen: Pen, rng: random.Random) -> None:
    tone: Colour = rng.choice(((186, 172, 148), (166, 160, 152), (150, 146, 144)))
    far = ((792, 392), (816, 392), (930, 640), (680, 640))
    near = ((640, 625), (965, 625), (1420, 920), (150, 920))
    pen.polygon(far, shade(tone, 1.05))
    pen.polygon(near, tone)
    pen.gradient((-800, 750, 2400, 1300), mix(tone, (120, 112, 100), 0.12), shade(tone, 0.92))
    for y in (748.0,):
        pen.soft(((-100, y), (1700, y), (1700, y + 10), (-100, y + 10)), shade(tone, 0.85), 0.6, 8)
    pen.soft(((735, 560), (760, 560), (600, 930), (470, 930)), shade(tone, 0.74), 0.5, 16)
    pen.soft(((850, 560), (874, 560), (1130, 930), (1000, 930)), shade(tone, 0.74), 0.5, 16)
    grains(pen, rng, far, tone, 900)
    grains(pen, rng, near, tone, 1800)
    grains(pen, rng, ((-100, 755), (1700, 755), (1700, 910), (-100, 910)), tone, 3600)


def _pillar(pen: Pen, rng: random.Random, x: float, brick: Colour, lit: bool) -> None:
    top, base, half = 474.0, 664.0, 34.0
    shadow: tuple[Point, ...] = (
        (x - half, base),
        (x + half, base),
        (x + half + 90, base + 34),
        (x - half + 100, base + 34),
    )
    pen.soft(shadow, (28, 26, 22), 0.5, 7)
    pen.gradient((x - half, top, x + half, base), shade(brick, 1.08), shade(brick, 0.88))
    row = 0
    while top + row * 12 < base:
        y = top + row * 12
        pen.line(((x - half, y), (x + half, y)), 2, mix(brick, (214, 206, 196), 0.55))
        for i in range(4):
            bx = x - half + ((i + (row % 2) * 0.5) * 22)
            if bx < x + half:
                pen.line(((bx, y), (bx, y + 12)), 2, mix(brick, (214, 206, 196), 0.5))
                pen.box(
                    (bx + 2, y + 2, min(x + half, bx + 20), y + 10),
                    shade(brick, rng.uniform(0.86, 1.14)),
                )
        row += 1
    pen.polygon(
        ((x + half * 0.5, top), (x + half, top), (x + half, base), (x + half * 0.62, base)),
        shade(brick, 0.74),
    )
    pen.box((x - half - 8, top - 14, x + half + 8, top + 2), (206, 200, 190))
    pen.ellipse((x, top - 34), 24, 24, (255, 244, 206) if lit else (226, 222, 212))
    pen.ellipse((x - 7, top - 41), 7, 7, (250, 250, 246))


def _leaves(pen: Pen) -> None:
    iron: Colour = (46, 50, 54)
    for hinge, way in ((580.0, 1), (1025.0, -1)):
        end = hinge + way * 62
        for i in range(6):
            t = i / 5
            x = hinge + (end - hinge) * t
            top, low = 512 - 26 * t, 655 - 46 * t
            pen.limb(((x, top - 14), (x, low)), 4, iron)
            pen.ellipse((x, top - 18), 4, 6, iron)
        for a, b in ((512, 486), (585, 552), (645, 602)):
            pen.limb(((hinge, a), (end, b)), 5, iron)
