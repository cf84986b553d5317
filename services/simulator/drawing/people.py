"""People in metres: how they stand and walk."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from .shapes import Pen, Point, mix, shade
from .wardrobe import Person

View = Literal["side", "front", "back"]


@dataclass(frozen=True, slots=True)
class Pose:
    """How a person holds itself at one moment; `stride` is the phase of the step in radians."""

    view: View
    stride: float
    walking: bool
    waving: bool = False


def draw_person(pen: Pen, who: Person, pose: Pose) -> None:
    """Draws the person standing on the pen's zero, at 1.75 m; the caller scales for height."""
    if pose.view == "side":
        _side(pen, who, pose)
    else:
        _facing(pen, who, pose)


def _leg(hip: Point, swing: float, bend: float) -> tuple[Point, Point, Point]:
    knee = (hip[0] + 0.44 * math.sin(swing), hip[1] - 0.44 * math.cos(swing))
    lower = swing - bend
    return hip, knee, (knee[0] + 0.42 * math.sin(lower), knee[1] - 0.42 * math.cos(lower))


def _arm(shoulder: Point, swing: float, bend: float) -> tuple[Point, Point, Point]:
    elbow = (shoulder[0] + 0.29 * math.sin(swing), shoulder[1] - 0.29 * math.cos(swing))
    lower = swing + bend
    return shoulder, elbow, (elbow[0] + 0.27 * math.sin(lower), elbow[1] - 0.27 * math.cos(lower))


def _draw_leg(pen: Pen, who: Person, leg: tuple[Point, Point, Point], dim: float) -> None:
    hip, knee, ankle = leg
    bare = mix(who.skin, (60, 40, 40), 0.1)
    pen.limb((knee, ankle), 0.105 * who.build, shade(bare if who.skirt else who.lower, dim))
    pen.limb((hip, knee), 0.155 * who.build, shade(who.lower, dim))
    heel, toe = (ankle[0] - 0.04, ankle[1] - 0.05), (ankle[0] + 0.13, ankle[1] - 0.06)
    pen.limb((heel, toe), 0.08, shade(who.shoes, dim))


def _draw_arm(pen: Pen, who: Person, arm: tuple[Point, Point, Point], dim: float) -> None:
    shoulder, elbow, hand = arm
    pen.limb((elbow, hand), 0.08, shade(who.top if who.sleeves else who.skin, dim))
    pen.limb((shoulder, elbow), 0.105 * who.build, shade(who.top, dim))
    pen.ellipse(hand, 0.048, 0.052, shade(who.skin, dim))


def _side(pen: Pen, who: Person, pose: Pose) -> None:
    swing = 0.43 * math.sin(pose.stride) if pose.walking else 0.05
    lift = 0.5 * max(0.0, math.cos(pose.stride)) if pose.walking else 0.04
    hip: Point = (0.0, 0.93 - (0.03 * abs(math.sin(pose.stride)) if pose.walking else 0.0))
    far, near = _leg(hip, -swing, 0.5 - lift if pose.walking else 0.04), _leg(hip, swing, lift)
    shoulder = (0.02, hip[1] + 0.5)
    holding = who.bag == "parcel"
    _draw_arm(pen, who, _arm(shoulder, 0.9 if holding else 0.8 * swing, 0.7 * holding + 0.2), 0.72)
    _draw_leg(pen, who, far, 0.74)
    _draw_leg(pen, who, near, 1.0)
    w = 0.135 * who.build
    if who.bag == "backpack":
        pen.round_box((-w - 0.2, 1.08, -w + 0.06, 1.46), 0.07, shade(who.accent, 0.85))
    if who.skirt:
        pen.polygon(((-w, 0.98), (w, 0.98), (w + 0.12, 0.55), (-w - 0.12, 0.55)), who.lower)
    drop = hip[1] - who.coat
    torso = (
        (-w * 0.9, drop),
        (-w * 1.05, 1.2),
        (-w * 0.75, 1.47),
        (0.04, 1.52),
        (w * 1.1, 1.4),
        (w * 1.15, 1.2),
        (w, drop),
    )
    pen.blob(torso, who.top)
    pen.line(((-w * 0.8, drop + 0.05), (w * 0.95, drop + 0.05)), 0.02, shade(who.top, 0.75))
    _side_head(pen, who)
    if holding:
        pen.box((0.2, 1.06, 0.56, 1.32), (186, 146, 96))
        pen.box((0.2, 1.17, 0.56, 1.2), (214, 188, 140))
    near_arm = _arm(shoulder, 1.0 if holding else -0.8 * swing, 0.55 if holding else 0.25)
    if pose.waving:
        near_arm = _arm(shoulder, 2.4, 0.5)
    _draw_arm(pen, who, near_arm, 0.92)
    if who.bag == "shopping":
        x, y = near_arm[2]
        pen.polygon(
            ((x - 0.1, y), (x + 0.1, y), (x + 0.13, y - 0.32), (x - 0.13, y - 0.32)), who.accent
        )


def _side_head(pen: Pen, who: Person) -> None:
    pen.limb(((0.02, 1.46), (0.04, 1.56)), 0.1, shade(who.skin, 0.86))
    if who.hat == "hood":
        pen.ellipse((0.01, 1.63), 0.135, 0.155, shade(who.top, 0.9))
        pen.ellipse((0.07, 1.62), 0.075, 0.115, who.skin)
        return
    if who.long_hair:
        pen.blob(((-0.1, 1.7), (-0.14, 1.5), (-0.06, 1.4), (0.03, 1.5)), shade(who.hair, 0.9))
    pen.ellipse((0.045, 1.63), 0.098, 0.122, who.skin)
    pen.ellipse((0.142, 1.62), 0.022, 0.026, who.skin)
    pen.blob(((-0.07, 1.56), (-0.07, 1.72), (0.03, 1.775), (0.125, 1.72), (0.03, 1.69)), who.hair)
    pen.ellipse((0.105, 1.645), 0.01, 0.013, (52, 40, 36))
    pen.ellipse((0.005, 1.625), 0.02, 0.03, shade(who.skin, 0.86))
    _hat(pen, who, 0.035, brim=0.12)


def _hat(pen: Pen, who: Person, x: float, brim: float) -> None:
    if who.hat == "beanie":
        pen.blob(
            ((x - 0.12, 1.68), (x - 0.08, 1.79), (x + 0.07, 1.79), (x + 0.11, 1.68)), who.accent
        )
    elif who.hat == "cap":
        pen.blob(
            ((x - 0.115, 1.68), (x - 0.08, 1.77), (x + 0.08, 1.77), (x + 0.11, 1.68)), who.accent
        )
        pen.limb(((x, 1.685), (x + brim + 0.05, 1.675)), 0.03, shade(who.accent, 0.75))


def _facing(pen: Pen, who: Person, pose: Pose) -> None:
    step = 0.075 * math.sin(pose.stride) if pose.walking else 0.0
    spread = 0.1 * who.build
    if who.long_hair and pose.view == "front":
        pen.blob(((-0.12, 1.7), (-0.15, 1.44), (0.15, 1.44), (0.12, 1.7)), shade(who.hair, 0.8))
    for sign, rise in ((-1, max(0.0, step)), (1, max(0.0, -step))):
        hip, knee = (sign * spread, 0.93), (sign * spread * 1.05, 0.5 + rise)
        ankle = (sign * spread * 1.08, 0.09 + 1.3 * rise)
        dim = 1.0 - 2.2 * rise
        bare = who.skin if who.skirt else who.lower
        pen.ellipse((ankle[0] + sign * 0.015, ankle[1] - 0.03), 0.065, 0.055, shade(who.shoes, dim))
        pen.limb((knee, ankle), 0.11 * who.build, shade(bare, dim))
        pen.limb((hip, knee), 0.155 * who.build, shade(who.lower, dim))
    w = 0.2 * who.build
    if who.skirt:
        pen.polygon(((-w, 1.0), (w, 1.0), (w + 0.1, 0.55), (-w - 0.1, 0.55)), who.lower)
    _facing_arms(pen, who, pose, step)
    drop = 0.93 - who.coat
    torso = (
        (-w * 0.92, drop),
        (-w * 0.9, 1.18),
        (-w * 1.08, 1.42),
        (-0.07, 1.52),
        (0.07, 1.52),
        (w * 1.08, 1.42),
        (w * 0.9, 1.18),
        (w * 0.92, drop),
    )
    pen.blob(torso, who.top)
    _front_details(pen, who, pose, w, drop)
    _facing_head(pen, who, pose)


def _facing_arms(pen: Pen, who: Person, pose: Pose, step: float) -> None:
    w = 0.215 * who.build
    for sign in (-1, 1):
        shoulder = (sign * w, 1.41)
        if who.bag == "parcel" and pose.view == "front":
            arm = (shoulder, (sign * (w + 0.05), 1.14), (sign * 0.14, 1.1))
        elif pose.waving and sign == 1:
            arm = (shoulder, (w + 0.17, 1.5), (w + 0.2, 1.77))
        else:
            lift = sign * step
            arm = (shoulder, (sign * (w + 0.06), 1.13 + lift), (sign * (w + 0.05), 0.88 + 2 * lift))
        _draw_arm(pen, who, arm, 0.88)


def _front_details(pen: Pen, who: Person, pose: Pose, w: float, drop: float) -> None:
    if pose.view == "back":
        if who.bag == "backpack":
            pen.round_box((-0.16, 1.05, 0.16, 1.47), 0.07, shade(who.accent, 0.85))
        return
    if who.coat:
        pen.line(((0, 1.5), (0, drop)), 0.018, shade(who.top, 0.7))
    if who.bag == "backpack":
        for sign in (-1, 1):
            pen.line(((sign * 0.12, 1.48), (sign * 0.13, 1.15)), 0.04, shade(who.accent, 0.7))
    if who.bag == "parcel":
        pen.box((-0.21, 1.04, 0.21, 1.3), (186, 146, 96))
        pen.box((-0.03, 1.04, 0.03, 1.3), (214, 188, 140))


def _facing_head(pen: Pen, who: Person, pose: Pose) -> None:
    pen.limb(((0, 1.46), (0, 1.56)), 0.1, shade(who.skin, 0.84))
    if who.hat == "hood":
        pen.ellipse((0, 1.63), 0.135, 0.16, shade(who.top, 0.88))
        if pose.view == "front":
            pen.ellipse((0, 1.615), 0.085, 0.11, who.skin)
        return
    if pose.view == "back":
        pen.ellipse((0, 1.64), 0.105, 0.13, who.hair)
        if who.long_hair:
            pen.blob(((-0.1, 1.68), (-0.12, 1.4), (0.12, 1.4), (0.1, 1.68)), who.hair)
        _hat(pen, who, 0.0, brim=0.0)
        return
    pen.ellipse((0, 1.63), 0.098, 0.125, who.skin)
    pen.blob(
        ((-0.105, 1.62), (-0.09, 1.75), (0, 1.785), (0.09, 1.75), (0.105, 1.62), (0, 1.71)),
        who.hair,
    )
    for sign in (-1, 1):
        pen.ellipse((sign * 0.037, 1.635), 0.011, 0.011, (52, 40, 36))
    _hat(pen, who, 0.0, brim=0.0)
