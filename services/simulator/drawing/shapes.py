"""A pen that draws smooth shapes in units of its own (metres, or the units of a scene)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Point = tuple[float, float]
Box = tuple[float, float, float, float]
Colour = tuple[int, int, int]


def chance(*key: object) -> random.Random:
    """Random numbers that depend on the key alone, the same on every machine."""
    return random.Random("/".join(str(part) for part in key))  # noqa: S311 (a drawing, no secret)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """The colour that lies `share` of the way from one to the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def shade(colour: Colour, factor: float) -> Colour:
    """The colour made darker (below 1) or lighter (above 1)."""
    red, green, blue = (max(0, min(255, round(part * factor))) for part in colour)
    return red, green, blue


def curve(points: Sequence[Point], steps: int = 6) -> list[Point]:
    """A closed smooth line through the points (Catmull-Rom)."""
    line: list[Point] = []
    count = len(points)
    for i in range(count):
        a, b, c, d = (points[(i + j) % count] for j in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            line.append((_blend(a[0], b[0], c[0], d[0], t), _blend(a[1], b[1], c[1], d[1], t)))
    return line


def _blend(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3
    )


class Pen:
    """Draws on an image; `at` is the pixel of the units' zero, negative scales mirror."""

    def __init__(self, image: Image.Image, at: Point, across: float, down: float) -> None:
        self.image = image
        self._draw = ImageDraw.Draw(image)
        self._at = at
        self._across = across
        self._down = down

    def spot(self, point: Point) -> Point:
        """The pixel of a point."""
        return self._at[0] + point[0] * self._across, self._at[1] + point[1] * self._down

    def _frame(self, box: Box) -> Box:
        (x0, y0), (x1, y1) = self.spot(box[:2]), self.spot(box[2:])
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def _width(self, width: float) -> float:
        return max(1.0, abs(self._across) * width)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fills the shape with straight edges."""
        self._draw.polygon([self.spot(point) for point in points], fill=colour)

    def blob(self, points: Sequence[Point], colour: Colour) -> None:
        """Fills the smooth shape through the points."""
        self.polygon(curve(points), colour)

    def box(self, box: Box, colour: Colour) -> None:
        """Fills the rectangle."""
        self._draw.rectangle(self._frame(box), fill=colour)

    def round_box(self, box: Box, radius: float, colour: Colour) -> None:
        """Fills the rectangle with round corners."""
        self._draw.rounded_rectangle(self._frame(box), self._width(radius), fill=colour)

    def ellipse(self, centre: Point, across: float, down: float, colour: Colour) -> None:
        """Fills the ellipse with these half axes."""
        x, y = centre
        frame = self._frame((x - across, y - down, x + across, y + down))
        self._draw.ellipse(frame, fill=colour)

    def limb(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A thick line with round joints and ends."""
        wide = self._width(width)
        spots = [self.spot(point) for point in points]
        self._draw.line(spots, fill=colour, width=max(1, round(wide)))
        if wide >= 3:
            for x, y in spots:
                r = wide / 2
                self._draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A plain line."""
        spots = [self.spot(point) for point in points]
        self._draw.line(spots, fill=colour, width=max(1, round(self._width(width))), joint="curve")

    def gradient(self, box: Box, top: Colour, bottom: Colour) -> None:
        """Fills the rectangle from one colour above to another below."""
        x0, y0, x1, y1 = (round(edge) for edge in self._frame(box))
        if x1 <= x0 or y1 <= y0:
            return
        ramp = Image.linear_gradient("L").resize((x1 - x0, y1 - y0))
        high = Image.new("RGB", ramp.size, top)
        high.paste(Image.new("RGB", ramp.size, bottom), (0, 0), ramp)
        self.image.paste(high, (x0, y0))

    def soft(self, points: Sequence[Point], colour: Colour, strength: float, blur: float) -> None:
        """A patch with soft edges laid over what is there; `blur` in units."""
        spots = [self.spot(point) for point in points]
        edge = self._width(blur)
        margin = round(edge * 2.5) + 1
        left = max(0, round(min(x for x, _ in spots)) - margin)
        top = max(0, round(min(y for _, y in spots)) - margin)
        right = min(self.image.width, round(max(x for x, _ in spots)) + margin)
        bottom = min(self.image.height, round(max(y for _, y in spots)) + margin)
        if right <= left or bottom <= top:
            return
        # A blurred patch needs no detail: it is made small and enlarged.
        coarse = max(1, min(8, round(edge / 3)))
        size = (max(1, (right - left) // coarse), max(1, (bottom - top) // coarse))
        mask = Image.new("L", size)
        shape = [((x - left) / coarse, (y - top) / coarse) for x, y in spots]
        ImageDraw.Draw(mask).polygon(shape, fill=round(255 * strength))
        mask = mask.filter(ImageFilter.GaussianBlur(edge / coarse))
        mask = mask.resize((right - left, bottom - top), Image.Resampling.BILINEAR)
        self.image.paste(colour, (left, top, right, bottom), mask)


@dataclass(frozen=True, slots=True)
class Sprite:
    """A drawn thing with transparent surroundings; `foot` is its pixel on the ground."""

    image: Image.Image
    foot: Point


def sprite(
    reach: Point, metre: float, mirrored: bool, draw: Callable[[Pen], None], top_light: float = 0.2
) -> Sprite:
    """Draws a thing of at most `reach` metres (half width, height) at so many pixels a metre."""
    smooth = 4 if metre < 60 else 3 if metre < 140 else 2
    half, high = reach
    width, height = round(2 * half * metre) + 4, round((high + 0.12) * metre) + 4
    image = Image.new("RGBA", (width * smooth, height * smooth))
    scale = metre * smooth
    foot = (width / 2, high * metre + 2)
    pen = Pen(image, (foot[0] * smooth, foot[1] * smooth), -scale if mirrored else scale, -scale)
    draw(pen)
    lit = _lit(image.reduce(smooth), top_light)
    drawn = lit.getchannel("A").getbbox()
    # A walker's lowest foot is on the ground, wherever the step has put it.
    return Sprite(lit, (foot[0], float(drawn[3]) if drawn else foot[1]))


def _lit(image: Image.Image, strength: float) -> Image.Image:
    """Light from the left above, so that flat colours look round."""
    ramp = Image.linear_gradient("L").rotate(58, Image.Resampling.BILINEAR, fillcolor=128)
    ramp = ramp.crop((40, 40, 216, 216)).resize(image.size)
    light = ramp.point([255 - round(strength * 255 * i / 255) for i in range(256)])
    shaded = ImageChops.multiply(image.convert("RGB"), Image.merge("RGB", (light,) * 3))
    shaded.putalpha(image.getchannel("A"))
    return shaded
