"""The yard: a barn with big doors, a fence, bales and gravel."""

from __future__ import annotations

import random

from .nature import blades, bush, grains, ground, hills, sky, tree
from .place import Lamp, Place, Spot
from .shapes import Colour, Pen, mix, shade

BOARDS: tuple[Colour, ...] = ((152, 54, 46), (120, 92, 70), (92, 104, 98), (136, 70, 54))
STRAW: Colour = (206, 178, 104)
TRIM: Colour = (232, 228, 218)


def yard() -> Place:
    """The place of the yard."""
    return Place(
        horizon=325,
        camera_height=2.9,
        paint=_paint,
        routes=(
            ((455, 600), (560, 700), (900, 800), (1760, 820)),
            ((-170, 780), (300, 760), (700, 700), (1250, 690), (1760, 720)),
            ((1760, 660), (1100, 690), (480, 615)),
            ((500, 1030), (620, 800), (520, 640), (460, 600)),
            ((1200, 1030), (1000, 800), (-170, 720)),
        ),
        cat_routes=(
            ((300, 620), (560, 700), (820, 760), (1700, 740)),
            ((-100, 720), (420, 790), (900, 830), (1200, 1000)),
        ),
        spots=(
            Spot((1150, 700), "side"),
            Spot((1210, 820), "side"),
            Spot((980, 740), "front"),
            Spot((360, 830), "side"),
        ),
        parcels=((640, 612), (300, 606)),
        lamps=(Lamp((455, 300), 640, 0.95),),
        panes=(),
        infrared=True,
    )


def _paint(pen: Pen, rng: random.Random, lit: bool) -> None:
    sky(pen, rng, 350)
    hills(pen, rng, 345, (140, 162, 176), 66)
    hills(pen, rng, 366, (118, 148, 116), 40)
    grass: Colour = rng.choice(((116, 142, 78), (132, 142, 80), (102, 134, 72)))
    ground(pen, rng, 360, grass)
    for left, tone in ((820, (200, 184, 112)), (1180, (146, 166, 90))):
        pen.soft(
            ((left, 400), (left + 500, 396), (left + 560, 440), (left - 40, 448)), tone, 0.9, 8
        )
    for _ in range(8):
        tree(pen, rng, (rng.uniform(800, 1660), 402), rng.uniform(56, 96))
    tree(pen, rng, (rng.uniform(1380, 1530), 540), rng.uniform(380, 470))
    blades(pen, rng, ((780, 500, 1620, 600), (-20, 590, 160, 700)), grass, 325)
    _fence(pen, rng)
    _gravel(pen, rng)
    _barn(pen, rng, rng.choice(BOARDS), lit)
    _bales(pen, rng)
    for x in (120, 800):
        bush(pen, rng, (x, 606), rng.uniform(26, 42), rng.random() < 0.5)


def _gravel(pen: Pen, rng: random.Random) -> None:
    tone: Colour = rng.choice(((188, 174, 150), (170, 162, 150), (176, 156, 130)))
    pen.polygon(
        (
            (150, 585),
            (860, 585),
            (1660, 640),
            (2400, 700),
            (2400, 1300),
            (-800, 1300),
            (-800, 700),
            (-40, 690),
        ),
        tone,
    )
    pen.soft(((-200, 820), (1800, 820), (1800, 1000), (-200, 1000)), shade(tone, 0.86), 0.6, 40)
    for _ in range(4):
        x, y = rng.uniform(200, 1400), rng.uniform(680, 880)
        pen.soft(((x - 120, y), (x, y - 14), (x + 130, y), (x, y + 16)), shade(tone, 0.72), 0.5, 14)
    grains(pen, rng, ((-20, 690), (1620, 660), (1620, 910), (-20, 910)), tone, 5200)
    grains(pen, rng, ((150, 590), (860, 590), (1620, 690), (0, 690)), tone, 1400)


def _fence(pen: Pen, rng: random.Random) -> None:
    wood: Colour = rng.choice(((168, 150, 128), (226, 222, 212), (120, 100, 82)))
    for rail in (506, 530, 554):
        pen.limb(((770, rail - 8), (1720, rail + 26)), 7, shade(wood, 0.94))
    for i in range(11):
        x = 800 + i * 90
        lift = (x - 770) * 34 / 950
        pen.soft(
            ((x, 574 + lift), (x + 8, 574 + lift), (x + 70, 588 + lift), (x + 50, 588 + lift)),
            (24, 28, 18),
            0.4,
            4,
        )
        pen.box((x - 6, 484 + lift, x + 7, 578 + lift), wood)
        pen.box((x + 3, 484 + lift, x + 7, 578 + lift), shade(wood, 0.78))


def _barn(pen: Pen, rng: random.Random, boards: Colour, lit: bool) -> None:
    left, right, eaves, base, ridge = 165.0, 745.0, 330.0, 596.0, 120.0
    pen.soft(
        ((left, base), (right, base), (right + 150, base + 44), (left + 60, base + 44)),
        (24, 22, 18),
        0.5,
        10,
    )
    front = (
        (left, base),
        (left, eaves),
        (left + 96, 205),
        (455, ridge),
        (right - 96, 205),
        (right, eaves),
        (right, base),
    )
    pen.polygon(front, boards)
    for i in range(59):
        x = left + i * 10
        # The boards end below the slopes of the gambrel roof.
        far = max(abs(x - 455), abs(x + 10 - 455))
        top = ridge + far * 85 / 194 if far < 194 else 205 + (far - 194) * 125 / 96
        tone = shade(boards, rng.uniform(0.84, 1.1))
        pen.box((x + 1, top, min(right, x + 9), base), tone)
    _roof(pen, left, right, eaves, ridge)
    pen.box((405, 210, 505, 292), TRIM)
    pen.box((413, 218, 497, 284), shade(boards, 0.5))
    pen.line(((413, 218), (497, 284)), 7, TRIM)
    pen.line(((497, 218), (413, 284)), 7, TRIM)
    _doors(pen, rng, boards)
    pen.ellipse((455, 312), 9, 9, (255, 246, 210) if lit else (226, 224, 214))
    pen.polygon(((438, 312), (455, 296), (472, 312)), (60, 62, 66))


def _roof(pen: Pen, left: float, right: float, eaves: float, ridge: float) -> None:
    roof = (
        (left - 26, eaves + 14),
        (left + 80, 196),
        (455, ridge - 14),
        (right - 80, 196),
        (right + 26, eaves + 14),
    )
    pen.line(roof, 22, (94, 92, 96))
    pen.soft(
        (
            (left, eaves + 20),
            (left + 96, 222),
            (455, ridge + 20),
            (right - 96, 222),
            (right, eaves + 20),
            (right - 96, 244),
            (455, ridge + 44),
            (left + 96, 244),
        ),
        (20, 16, 18),
        0.4,
        9,
    )


def _doors(pen: Pen, rng: random.Random, boards: Colour) -> None:
    pen.box((338, 372, 572, 596), (36, 30, 28))
    pen.soft(((350, 520), (560, 520), (560, 592), (350, 592)), (110, 92, 70), 0.5, 24)
    for x in (372.0, 500.0):
        pen.round_box((x, 548, x + 52, 590), 8, shade(STRAW, 0.5))
    dark = shade(boards, 0.82)
    gap = rng.uniform(110, 176)
    for x0, x1 in ((455 - gap - 112, 455 - gap + 26), (455 + gap - 26, 455 + gap + 112)):
        pen.box((x0, 366, x1, 596), dark)
        for i in range(1, 9):
            x = x0 + i * (x1 - x0) / 9
            pen.line(((x, 366), (x, 596)), 1.5, shade(dark, 0.8))
        for a, b in (((x0, 590), (x1, 372)), ((x0, 372), (x1, 590))):
            pen.line((a, b), 9, TRIM)
        for y in (366, 586):
            pen.box((x0, y, x1, y + 10), TRIM)
        for x in (x0, x1 - 10):
            pen.box((x, 366, x + 10, 596), TRIM)
    pen.box((170, 356, 740, 366), (70, 70, 74))


def _bales(pen: Pen, rng: random.Random) -> None:
    for x, y, r in ((860, 628, 44), (936, 640, 46)):
        pen.soft(
            ((x - r, y), (x + r, y), (x + r + 50, y + 16), (x - r + 30, y + 16)),
            (26, 24, 16),
            0.5,
            7,
        )
        pen.ellipse((x, y - r), r, r, STRAW)
        for k in (0.84, 0.64, 0.44, 0.22):
            tone = shade(STRAW, 0.8 if k in (0.84, 0.44) else 1.06)
            pen.ellipse((x, y - r), r * k, r * k, mix(tone, STRAW, rng.uniform(0, 0.4)))
