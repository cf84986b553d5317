"""The porch: a house front with door, steps, path, flower beds, and a drive beside it."""

from __future__ import annotations

import random

from .nature import blades, bush, foliage, grains, ground, hedge, sky, tree
from .place import Lamp, Place, Spot
from .shapes import Colour, Pen, mix, shade

WALL: tuple[Colour, ...] = (
    (226, 218, 200),
    (176, 192, 204),
    (206, 190, 160),
    (196, 206, 190),
    (222, 206, 206),
)
DOOR: tuple[Colour, ...] = (
    (148, 44, 40),
    (36, 84, 96),
    (58, 92, 66),
    (44, 58, 98),
    (196, 140, 52),
    (86, 54, 70),
)
TRIM: Colour = (246, 244, 238)
BASE = 610.0  # where the wall meets the ground
CORNER = 1075.0  # where the house ends


def porch() -> Place:
    """The place of the porch."""
    door = (706.0, 672.0)
    return Place(
        horizon=300,
        camera_height=2.45,
        paint=_paint,
        routes=(
            (door, (700, 760), (640, 960)),
            ((560, 1000), (690, 760), door),
            ((-160, 860), (420, 800), (690, 690), door),
            ((1750, 720), (1150, 790), (760, 720), door),
            ((-160, 800), (500, 850), (1100, 830), (1760, 800)),
            ((1760, 690), (1180, 700), (880, 860), (500, 1010)),
            ((1240, 640), (1020, 740), (720, 700), door),
        ),
        cat_routes=(
            ((-120, 760), (300, 740), (560, 760), (980, 720)),
            ((1700, 800), (1200, 840), (860, 760), (600, 700)),
            ((80, 690), (380, 715), (420, 820), (160, 990)),
        ),
        spots=(Spot((1325, 730), "front"), Spot((1345, 690), "back"), Spot((1330, 705), "front")),
        parcels=((800, 668), (612, 672)),
        lamps=(Lamp((588, 400), 620, 1.0), Lamp((1120, 330), 560, 0.6)),
        panes=((146, 348, 374, 492),),
        infrared=False,
    )


def _paint(pen: Pen, rng: random.Random, lit: bool) -> None:
    sky(pen, rng, 420)
    for x in (1130, 1290, 1440, 1590):
        tree(pen, rng, (x + rng.uniform(-40, 40), 545), rng.uniform(300, 430))
    _neighbour(pen, rng, lit)
    grass: Colour = rng.choice(((98, 138, 70), (112, 142, 78), (120, 136, 76)))
    ground(pen, rng, 560, grass)
    hedge(pen, rng, (1060, 478, 1660, 575), (66, 106, 58))
    _drive(pen, rng)
    blades(pen, rng, ((-20, 630, 640, 910), (700, 640, 1090, 910)), grass, 300)
    _wall(pen, rng)
    _window(pen, rng, lit)
    _entrance(pen, rng, lit)
    _path(pen, rng)
    _beds(pen, rng)


def _neighbour(pen: Pen, rng: random.Random, lit: bool) -> None:
    wall = shade(rng.choice(WALL), 0.86)
    x = rng.uniform(1390, 1470)
    pen.box((x - 130, 400, x + 150, 540), wall)
    pen.polygon(((x - 158, 404), (x + 10, 318), (x + 178, 404)), (122, 84, 74))
    glass: Colour = (250, 214, 130) if lit else (104, 126, 142)
    for dx in (-80, 60):
        pen.box((x + dx - 4, 426, x + dx + 48, 484), TRIM)
        pen.box((x + dx, 430, x + dx + 44, 480), glass)


def _drive(pen: Pen, rng: random.Random) -> None:
    tone: Colour = rng.choice(((128, 128, 130), (150, 142, 130), (116, 112, 112)))
    edges = ((1150, 574), (1450, 574), (1900, 910), (1010, 910))
    pen.polygon(edges, tone)
    pen.soft(((1230, 600), (1300, 600), (1330, 920), (1160, 920)), shade(tone, 0.7), 0.4, 22)
    pen.soft(((1380, 600), (1430, 600), (1640, 920), (1500, 920)), shade(tone, 0.7), 0.4, 22)
    grains(pen, rng, edges, tone, 2600)
    for x0, x1 in ((1150, 1010), (1450, 1900)):
        pen.line(((x0, 574), (x1, 910)), 7, mix(tone, (220, 216, 206), 0.6))


def _wall(pen: Pen, rng: random.Random) -> None:
    wall = rng.choice(WALL)
    pen.gradient((-800, -300, CORNER, BASE), shade(wall, 0.92), wall)
    for i in range(46):
        y = -300 + i * 20
        pen.line(((-800, y), (CORNER, y)), 2, shade(wall, 0.8))
        pen.line(((-800, y + 2), (CORNER, y + 2)), 1.5, shade(wall, 1.06))
    pen.box((-800, BASE - 44, CORNER, BASE), (146, 138, 130))
    for i in range(70):
        x = -800 + i * 28 + rng.uniform(-2, 2)
        pen.line(((x, BASE - 44), (x, BASE)), 1.5, (122, 114, 108))
    pen.line(((-800, BASE - 22), (CORNER, BASE - 22)), 1.5, (122, 114, 108))
    pen.gradient((CORNER - 26, -300, CORNER, BASE), shade(TRIM, 0.9), shade(TRIM, 0.97))
    pen.box((-800, -300, CORNER + 20, 62), shade(wall, 0.5))
    pen.box((-800, 54, CORNER + 34, 78), TRIM)
    pen.soft(((-800, 78), (CORNER, 78), (CORNER, 128), (-800, 112)), (20, 24, 34), 0.45, 14)
    down = CORNER - 46
    pen.limb(((down, 70), (down, BASE - 8)), 11, (214, 212, 206))
    ledge = ((-800, BASE - 6), (CORNER, BASE - 6), (CORNER + 60, BASE + 40), (-800, BASE + 30))
    pen.soft(ledge, (18, 24, 16), 0.5, 12)


def _window(pen: Pen, rng: random.Random, lit: bool) -> None:
    pen.box((130, 332, 390, 508), TRIM)
    pen.soft(((150, 336), (370, 336), (370, 350), (150, 350)), (60, 60, 66), 0.4, 4)
    if lit:
        pen.gradient((146, 348, 374, 492), (255, 222, 142), (244, 190, 100))
    else:
        pen.gradient((146, 348, 374, 492), (92, 118, 138), (158, 178, 188))
        pen.polygon(((200, 492), (300, 348), (340, 348), (240, 492)), (150, 172, 184))
    curtain: Colour = mix(rng.choice(DOOR), (250, 246, 236), 0.72)
    for x, way in ((146, 1), (374, -1)):
        pen.polygon(
            ((x, 348), (x + way * 62, 348), (x + way * 34, 430), (x + way * 44, 492), (x, 492)),
            curtain,
        )
        for step in (14, 28):
            pen.line(((x + way * step, 350), (x + way * step * 0.8, 490)), 2, shade(curtain, 0.85))
    pen.box((254, 348, 266, 492), TRIM)
    pen.box((146, 414, 374, 422), TRIM)
    pen.box((118, 506, 402, 520), shade(TRIM, 0.94))
    pen.box((140, 520, 380, 548), (124, 84, 60))
    for i in range(9):
        bush(pen, rng, (154 + i * 26, 528), 17, True)


def _entrance(pen: Pen, rng: random.Random, lit: bool) -> None:
    colour = rng.choice(DOOR)
    pen.box((622, 318, 790, 628), TRIM)
    glow: Colour = (255, 220, 140) if lit else (116, 140, 156)
    pen.box((638, 330, 774, 356), glow)
    pen.gradient((638, 364, 774, 626), shade(colour, 1.1), shade(colour, 0.88))
    for x in (652, 714):
        for top, low in ((380, 470), (486, 600)):
            pen.box((x, top, x + 46, low), shade(colour, 0.72))
            pen.box((x + 4, top + 5, x + 46, low), shade(colour, 1.02))
    pen.ellipse((762, 500), 6, 6, (222, 190, 110))
    pen.box((684, 476, 728, 484), (212, 180, 104))
    pen.soft(((622, 318), (790, 318), (790, 350), (622, 340)), (20, 20, 30), 0.5, 8)
    pen.polygon(((560, 300), (706, 222), (852, 300)), shade(colour, 0.62))
    pen.polygon(((596, 294), (706, 240), (816, 294)), TRIM)
    pen.box((552, 294, 860, 312), TRIM)
    pen.soft(((560, 312), (852, 312), (852, 336), (560, 336)), (20, 20, 30), 0.4, 8)
    pen.box((580, 378, 596, 384), (40, 40, 44))
    lamp: Colour = (255, 246, 206) if lit else (232, 226, 206)
    pen.polygon(((578, 386), (598, 386), (594, 420), (582, 420)), lamp)
    pen.polygon(((574, 388), (588, 372), (602, 388)), (40, 40, 44))
    pen.round_box((820, 420, 862, 462), 6, (60, 66, 76))
    pen.line(((826, 434), (856, 434)), 3, (24, 26, 30))
    stone: Colour = (188, 182, 172)
    pen.polygon(((566, 626), (846, 626), (862, 646), (550, 646)), shade(stone, 1.1))
    pen.box((550, 646, 862, 662), shade(stone, 0.78))
    pen.polygon(((550, 662), (862, 662), (890, 690), (522, 690)), shade(stone, 1.06))
    pen.box((522, 690, 890, 708), shade(stone, 0.74))
    mat: Colour = mix(colour, (70, 60, 50), 0.6)
    pen.polygon(((650, 630), (762, 630), (768, 643), (644, 643)), mat)


def _path(pen: Pen, rng: random.Random) -> None:
    stone: Colour = rng.choice(((196, 184, 164), (178, 172, 166), (190, 160, 138)))
    pen.polygon(((560, 708), (852, 708), (960, 960), (330, 960)), stone)
    grains(pen, rng, ((560, 710), (852, 710), (960, 960), (330, 960)), stone, 1300)
    y, gap = 708.0, 26.0
    while y < 960:
        t, u = (y - 708) / 252, (min(960.0, y + gap) - 708) / 252
        pen.line(((560 - 230 * t, y), (852 + 108 * t, y)), 2.5, shade(stone, 0.72))
        for i in range(1, 5):
            share = (i + (0.5 if round(y) % 2 else 0.0)) / 5
            x0 = 560 - 230 * t + share * (292 + 338 * t)
            x1 = 560 - 230 * u + share * (292 + 338 * u)
            pen.line(((x0, y), (x1, min(960, y + gap))), 2.5, shade(stone, 0.74))
        y, gap = y + gap, gap * 1.22
    pen.soft(((522, 706), (890, 706), (905, 728), (505, 728)), (30, 28, 26), 0.5, 8)


def _beds(pen: Pen, rng: random.Random) -> None:
    for x in (60, 160, 262, 356, 452):
        size = rng.uniform(34, 56)
        bush(
            pen,
            rng,
            (x + rng.uniform(-16, 16), 648 + rng.uniform(-6, 10)),
            size,
            rng.random() < 0.6,
        )
    for x in (930, 1010):
        bush(pen, rng, (x, 650), rng.uniform(36, 54), rng.random() < 0.6)
    for x in (500, 908):
        pot: Colour = rng.choice(((176, 96, 66), (86, 92, 100), (150, 120, 90)))
        pen.soft(((x - 40, 716), (x + 60, 716), (x + 50, 730), (x - 30, 730)), (20, 20, 18), 0.5, 7)
        pen.polygon(((x - 34, 664), (x + 34, 664), (x + 24, 722), (x - 24, 722)), pot)
        pen.polygon(((x + 6, 664), (x + 34, 664), (x + 24, 722), (x + 4, 722)), shade(pot, 0.8))
        foliage(pen, rng, (x, 622), (40, 50), (72, 116, 64))
