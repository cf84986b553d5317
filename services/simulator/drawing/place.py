"""What a place is: how it is painted, and where its visitors come and go."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .shapes import Box, Pen, Point

Route = tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Lamp:
    """A light that burns at night: where it hangs, how far it reaches, how bright it is."""

    at: Point
    reach: float
    strength: float


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a car stands, and which side of it is seen."""

    at: Point
    view: Literal["side", "front", "back"]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in units of 1600 x 900 (y down); all points are feet on the ground."""

    horizon: float
    camera_height: float
    paint: Callable[[Pen, random.Random, bool], None]  # True: lamps and windows are lit
    routes: tuple[Route, ...]
    cat_routes: tuple[Route, ...]
    spots: tuple[Spot, ...]
    parcels: tuple[Point, ...]
    lamps: tuple[Lamp, ...]
    panes: tuple[Box, ...]  # lit windows
    infrared: bool  # the camera sees grey by night

    def metre(self, y: float) -> float:
        """How many units a metre has for feet at this height of the picture."""
        return max(1.0, y - self.horizon) / self.camera_height
