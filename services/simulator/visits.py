"""Who is in a scene at a moment: visits that follow from the camera's name and the clock alone."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal

from .drawing.place import Place, Route, Spot
from .drawing.shapes import Point, chance

Kind = Literal["person", "car", "cat", "parcel"]
View = Literal["side", "front", "back"]
SLOT = 40.0  # seconds in which up to three people set out
PARKED = 420.0  # seconds for which a car stays, or the drive is empty
ERRAND = 75.0  # seconds a cat may take


@dataclass(frozen=True, slots=True)
class Visitor:
    """One thing at one moment: where its feet are, which way it looks, who it is (the seed)."""

    kind: Kind
    at: Point
    seed: str
    view: View = "side"
    leftward: bool = False
    stride: float = 0.0
    walking: bool = False
    waving: bool = False


def visitors(camera: str, place: Place, moment: datetime) -> list[Visitor]:
    """Everybody and everything that is there at that moment."""
    now = moment.timestamp()
    cast = [*_cars(camera, place, now), *_cats(camera, place, now), *_parcels(camera, place, now)]
    for slot in (math.floor(now / SLOT) - 1, math.floor(now / SLOT)):
        cast.extend(_people(camera, place, now, slot))
    return cast


def _people(camera: str, place: Place, now: float, slot: int) -> list[Visitor]:
    rng = chance(camera, "people", slot)
    found = []
    for number in range(rng.choices((0, 1, 2, 3), (3, 4, 2, 1))[0]):
        start, length = slot * SLOT + rng.uniform(0, 25), rng.uniform(16, 38)
        route, aside = rng.choice(place.routes), rng.uniform(-26, 26)
        back, pause, wave = rng.random() < 0.4, rng.uniform(0.25, 0.8), rng.random() < 0.15
        done = (now - start) / length
        if not 0 <= done <= 1:
            continue
        # They walk, stand for a fifth of the visit, and walk on.
        share = min(done, pause) if done < pause + 0.2 else done - 0.2
        standing = pause <= done < pause + 0.2
        share = share / 0.8
        way = route[::-1] if back else route
        seed = f"{camera}/people/{slot}/{number}"
        found.append(walker(place, way, share, seed, aside, standing, wave))
    return found


def walker(
    place: Place, route: Route, share: float, seed: str, aside: float, standing: bool, wave: bool
) -> Visitor:
    """A person who has gone this share of the route."""
    (x, y), (dx, dy), gone = _along(route, share)
    view: View = "side"
    # Toward the camera counts more: the ground is seen at a flat angle.
    if abs(dy) * 2.2 > abs(dx):
        view = "front" if dy > 0 else "back"
    if standing and wave:
        view = "front"
    metres = gone / place.metre(y)
    return Visitor(
        "person", (x + aside, y), seed, view, dx < 0, metres * 4.2, not standing, standing and wave
    )


def _along(route: Route, share: float) -> tuple[Point, Point, float]:
    """The point after this share of the route, the direction there, and the length gone."""
    legs = list(pairwise(route))
    lengths = [math.dist(a, b) for a, b in legs]
    gone = max(0.0, min(1.0, share)) * sum(lengths)
    left = gone
    for (a, b), length in zip(legs, lengths, strict=True):
        if left <= length or (a, b) == legs[-1]:
            t = min(1.0, left / length)
            at = (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t)
            return at, ((b[0] - a[0]) / length, (b[1] - a[1]) / length), gone
        left -= length
    raise AssertionError("a route has at least two points")


def _cars(camera: str, place: Place, now: float) -> list[Visitor]:
    slot = math.floor(now / PARKED)
    rng = chance(camera, "car", slot)
    if rng.random() > 0.55:
        return []
    return [parked(rng, rng.choice(place.spots), f"{camera}/car/{slot}")]


def parked(rng: random.Random, spot: Spot, seed: str) -> Visitor:
    """A car on its spot."""
    x, y = spot.at
    at = (x + rng.uniform(-24, 24), y + rng.uniform(-14, 14))
    return Visitor("car", at, seed, spot.view, rng.random() < 0.5)


def _cats(camera: str, place: Place, now: float) -> list[Visitor]:
    slot = math.floor(now / ERRAND)
    rng = chance(camera, "cat", slot)
    if rng.random() > 0.34:
        return []
    route = rng.choice(place.cat_routes)
    start, length = slot * ERRAND + rng.uniform(0, 30), rng.uniform(28, 45)
    return (
        [stroller(rng, route, (now - start) / length, f"{camera}/cat/{slot}")]
        if (0 <= now - start <= length)
        else []
    )


def stroller(rng: random.Random, route: Route, share: float, seed: str) -> Visitor:
    """A cat that has gone this share of its route."""
    way = route[::-1] if rng.random() < 0.5 else route
    at, (dx, _), gone = _along(way, share)
    return Visitor("cat", at, seed, "side", dx < 0, gone / 14)


def _parcels(camera: str, place: Place, now: float) -> list[Visitor]:
    slot = math.floor(now / 900)
    rng = chance(camera, "parcel", slot)
    if rng.random() > 0.4:
        return []
    return [Visitor("parcel", rng.choice(place.parcels), f"{camera}/parcel/{slot}")]
