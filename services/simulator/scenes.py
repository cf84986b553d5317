"""Drawn scenes: what a simulated camera sees at a moment, and what truly is in the picture.

The same camera name, size and moment always give the same picture. People, cats and cars come
and go over time; each picture says where they are, so that a detector can be measured on it.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .drawing.gate import gate
from .drawing.light import Light, as_sensor, light_at, light_map, noise_tile, stamp
from .drawing.people import Pose, draw_person
from .drawing.place import Place
from .drawing.porch import porch
from .drawing.shapes import Box, Pen, Point, Sprite, chance, sprite
from .drawing.things import draw_car, draw_cat, draw_parcel, some_car, some_cat
from .drawing.wardrobe import somebody
from .drawing.yard import yard
from .visits import Visitor, visitors

Look = Literal["porch", "gate", "yard"]
LOOKS: tuple[Look, ...] = ("porch", "gate", "yard")
LABELS = ("person", "car", "cat")


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing in the picture: its COCO label, how much of it can be seen (0 to 1), and the box
    around that in pixels: left, top, right, bottom.
    """

    label: str
    box: Box
    visible: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture with the truth about it."""

    image: Image.Image
    figures: tuple[Figure, ...]

    def jpeg(self, quality: int = 87) -> bytes:
        """The picture as a camera would send it."""
        out = io.BytesIO()
        self.image.save(out, "JPEG", quality=quality)
        return out.getvalue()


def look_of(camera: str) -> Look:
    """The look a camera's name asks for; another name gets one of the three, always the same."""
    name = camera.lower()
    for word, look in (
        ("porch", "porch"),
        ("door", "porch"),
        ("gate", "gate"),
        ("drive", "gate"),
        ("yard", "yard"),
        ("barn", "yard"),
        ("garden", "yard"),
    ):
        if word in name:
            return "porch" if look == "porch" else "gate" if look == "gate" else "yard"
    return chance(camera, "look").choice(LOOKS)


class Scene:
    """What one camera sees; belongs to one thread, as it keeps its last background and light."""

    def __init__(
        self,
        camera: str,
        size: tuple[int, int] = (1280, 720),
        look: Look | None = None,
        hour: float | None = None,
        stamped: bool = True,
    ) -> None:
        """`hour` fixes the light to that hour; without it the light follows the clock."""
        places = {"porch": porch, "gate": gate, "yard": yard}
        self.camera = camera
        self.size = size
        self.look: Look = look or look_of(camera)
        self.place: Place = places[self.look]()
        self._hour = hour
        self._stamped = stamped
        self._noise = noise_tile(camera, size)
        self._grounds: dict[bool, Image.Image] = {}
        self._light: tuple[Light, Image.Image] | None = None
        rng = chance(camera, "view")
        named = camera.lower() == self.look
        zoom = 1.0 if named else rng.uniform(1.0, 1.18)
        self._mirrored = not named and rng.random() < 0.5
        self._unit = max(size[0] / 1600, size[1] / 900) * zoom
        self._shift = (rng.uniform(-0.5, 0.5) * (zoom - 1) * 1600, rng.uniform(0, zoom - 1) * 450)

    def at(self, moment: datetime) -> Drawn:
        """The picture of that moment."""
        moment = moment.astimezone(UTC)
        return self.draw(moment, visitors(self.camera, self.place, moment))

    def draw(self, moment: datetime, cast: list[Visitor]) -> Drawn:
        """The picture of that moment with these visitors in it."""
        light = self._light_at(moment)
        image = self._ground(light).copy()
        shown = self._put(image, light, cast)
        dimmed = self._dim(image, light)
        rng = chance(self.camera, "frame", moment.isoformat())
        shift = (rng.randrange(64), rng.randrange(64))
        seen = as_sensor(dimmed, self._noise, light, shift, self.place.infrared)
        if self._stamped:
            stamp(seen, self.camera, moment)
        return Drawn(seen, shown)

    def _light_at(self, moment: datetime) -> Light:
        if self._hour is None:
            return light_at(self.camera, moment)
        hour = int(self._hour) % 24
        return light_at(self.camera, moment.replace(hour=hour, minute=int(self._hour % 1 * 60)))

    def _pixel(self, point: Point) -> Point:
        x = (point[0] - 800 + self._shift[0]) * self._unit
        y = (point[1] - 450 - self._shift[1]) * self._unit
        return self.size[0] / 2 + (-x if self._mirrored else x), self.size[1] / 2 + y

    def _ground(self, light: Light) -> Image.Image:
        """The empty place by this light; lamps and windows make two variants."""
        if light.lit not in self._grounds:
            smooth = 2 if self.size[0] <= 2000 else 1
            image = Image.new("RGB", (self.size[0] * smooth, self.size[1] * smooth))
            x, y = self._pixel((0.0, 0.0))
            unit = self._unit * smooth
            pen = Pen(image, (x * smooth, y * smooth), -unit if self._mirrored else unit, unit)
            self.place.paint(pen, chance(self.camera, "place"), light.lit)
            self._grounds[light.lit] = image.reduce(smooth) if smooth > 1 else image
        return self._grounds[light.lit]

    def _dim(self, image: Image.Image, light: Light) -> Image.Image:
        if self._light is None or self._light[0] != light:
            self._light = (light, light_map(self.place, light, self.size, self._pixel))
        return ImageChops.multiply(image, self._light[1])

    def _put(self, image: Image.Image, light: Light, cast: list[Visitor]) -> tuple[Figure, ...]:
        """Puts the visitors into the picture, the far ones first."""
        owners = np.zeros((self.size[1] // 4 + 1, self.size[0] // 4 + 1), np.uint8)
        placed: list[tuple[Visitor, Box, int]] = []
        for visitor in sorted(cast, key=lambda one: one.at[1]):
            drawn = self._sprite(visitor)
            x, y = self._pixel(visitor.at)
            left, top = round(x - drawn.foot[0]), round(y - drawn.foot[1])
            self._shadow(image, drawn, (left, top), light)
            image.paste(drawn.image, (left, top), drawn.image)
            alpha = drawn.image.getchannel("A")
            inner = alpha.point([0] * 90 + [255] * 166).getbbox()
            if visitor.kind == "parcel" or inner is None:
                continue
            box = (left + inner[0], top + inner[1], left + inner[2], top + inner[3])
            area = _own(owners, alpha, (left, top), len(placed) + 1)
            placed.append((visitor, box, area))
        return self._truth(owners, placed)

    def _truth(
        self, owners: np.ndarray, placed: list[tuple[Visitor, Box, int]]
    ) -> tuple[Figure, ...]:
        """What can be seen, and as far as it can be seen."""
        figures = []
        for number, (visitor, box, area) in enumerate(placed, 1):
            rows, columns = np.nonzero(owners == number)
            share = min(1.0, len(rows) / max(1, area))
            if share <= 0.02:
                continue
            left, top, right, low = box
            if share < 0.97:
                left, right = max(left, columns.min() * 4.0), min(right, columns.max() * 4.0 + 4)
                top, low = max(top, rows.min() * 4.0), min(low, rows.max() * 4.0 + 4)
            left, right = max(0.0, left), min(float(self.size[0]), right)
            top, low = max(0.0, top), min(float(self.size[1]), low)
            if right - left >= 3 and low - top >= 3:
                seen = (float(left), float(top), float(right), float(low))
                figures.append(Figure(visitor.kind, seen, round(share, 3)))
        return tuple(figures)

    def _sprite(self, visitor: Visitor) -> Sprite:
        metre = self.place.metre(visitor.at[1]) * self._unit
        rng = chance(visitor.seed)
        mirrored = visitor.leftward != self._mirrored
        if visitor.kind == "person":
            who = somebody(rng)
            pose = Pose(visitor.view, visitor.stride, visitor.walking, visitor.waving)
            scale = metre * who.height / 1.76
            return sprite((0.85, 1.95), scale, mirrored, lambda pen: draw_person(pen, who, pose))
        if visitor.kind == "car":
            car = some_car(rng, visitor.view)
            return sprite((2.3, 2.0), metre * 0.98, mirrored, lambda pen: draw_car(pen, car), 0.3)
        if visitor.kind == "cat":
            cat = some_cat(rng)
            return sprite(
                (0.55, 0.62), metre * 0.95, mirrored, lambda pen: draw_cat(pen, cat, visitor.stride)
            )
        return sprite((0.3, 0.45), metre, mirrored, draw_parcel)

    def _shadow(self, image: Image.Image, drawn: Sprite, at: tuple[int, int], light: Light) -> None:
        """The outline laid flat on the ground, away from the sun, and a dark patch at the feet."""
        alpha = drawn.image.getchannel("A")
        foot = drawn.foot[1]
        flat = max(3, round(foot * 0.2))
        lean = foot * light.slant * 0.7
        room = round(abs(lean)) + 8
        size = (alpha.width + 2 * room, flat + 8)
        # Row y of the shadow shows the outline at foot * (1 - y / flat), pushed aside by the lean.
        data = (1.0, -lean / flat, float(-room), 0.0, -foot / flat, foot)
        shape = alpha.transform(size, Image.Transform.AFFINE, data)
        dark = round(255 * (0.2 + 0.3 * light.sun))
        shape = shape.point([round(i * (light.sun + 0.08)) for i in range(256)])
        wide = max(3, round(alpha.width * 0.34))
        deep = max(2, round(wide * 0.16))
        middle = room + alpha.width // 2
        patch = Image.new("L", size)
        oval = (middle - wide, -deep, middle + wide, deep)
        ImageDraw.Draw(patch).ellipse(oval, fill=dark)
        shape = ImageChops.lighter(shape, patch)
        shape = shape.filter(ImageFilter.GaussianBlur(max(0.8, foot * 0.009)))
        image.paste((16, 20, 30), (at[0] - room, round(at[1] + foot) - 2), shape)


def _own(owners: np.ndarray, alpha: Image.Image, at: tuple[int, int], number: int) -> int:
    """Marks whose pixels these are on a coarse map; how many they would be if nothing hid them."""
    coarse = np.asarray(alpha.reduce(4)) > 110
    area = int(coarse.sum())
    x, y = math.floor(at[0] / 4), math.floor(at[1] / 4)
    x0, y0 = max(0, x), max(0, y)
    x1, y1 = min(owners.shape[1], x + coarse.shape[1]), min(owners.shape[0], y + coarse.shape[0])
    if x1 > x0 and y1 > y0:
        owners[y0:y1, x0:x1][coarse[y0 - y : y1 - y, x0 - x : x1 - x]] = number
    return area
