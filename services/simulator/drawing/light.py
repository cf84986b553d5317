"""The light of the hour: how bright it is, what colour, where lamps glow, how the sensor sees."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from .place import Place
from .shapes import Colour, Point, chance, mix

NIGHT: Colour = (54, 65, 104)
GOLD: Colour = (255, 222, 184)
DULL: Colour = (222, 226, 232)
LAMP: Colour = (255, 222, 168)


@dataclass(frozen=True, slots=True)
class Light:
    """Daylight from 0 (night) to 1 (day), gold of the low sun, how hard the shadows are."""

    day: float
    gold: float
    sun: float
    slant: float

    @property
    def lit(self) -> bool:
        """Whether lamps burn."""
        return self.day < 0.55


def light_at(camera: str, moment: datetime) -> Light:
    """The light of that hour of the day (UTC), with sunny and dull days."""
    hour = moment.hour + moment.minute / 60
    height = min(hour - 5.0, 20.5 - hour)
    day = max(0.0, min(1.0, height / 1.75))
    gold = max(0.0, 1 - abs(height - 1.5) / 1.5)
    dull = chance(camera, "weather", moment.date()).random() < 0.35
    sun = 0.12 if dull else 0.42
    # Steps, so that the light can be kept from one picture to the next.
    return Light(
        round(day * 24) / 24,
        round(gold * 12) / 12 * (0.3 if dull else 1.0),
        sun * day,
        max(-0.9, min(0.9, (hour - 12.5) * 0.16)),
    )


def light_map(
    place: Place, light: Light, size: tuple[int, int], pixel: Callable[[Point], Point]
) -> Image.Image:
    """What to multiply the daylight picture with; `pixel` turns a place's point into a pixel."""
    small = (max(2, size[0] // 4), max(2, size[1] // 4))
    day = mix((255, 255, 255), GOLD, light.gold * 0.8)
    if light.sun < 0.3 * light.day:
        day = mix(day, DULL, 0.7)
    image = Image.new("RGB", small, mix(NIGHT, day, light.day))
    if light.lit:
        _glow(image, place, 1 - light.day, pixel)
    vignette = Image.radial_gradient("L").resize(small)
    vignette = vignette.point([255 - round(46 * (i / 255) ** 2) for i in range(256)])
    image = ImageChops.multiply(image, Image.merge("RGB", (vignette,) * 3))
    return image.resize(size, Image.Resampling.BILINEAR)


def _glow(image: Image.Image, place: Place, dark: float, pixel: Callable[[Point], Point]) -> None:
    for lamp in place.lamps:
        x, y = (part / 4 for part in pixel(lamp.at))
        edge = pixel((lamp.at[0] + lamp.reach, lamp.at[1]))[0] / 4
        reach = max(4, round(abs(edge - x)))
        disc = Image.radial_gradient("L").resize((2 * reach, 2 * reach))
        # A lamp hangs under a shade: its light falls down and hardly rises.
        upper = disc.crop((0, 0, 2 * reach, reach)).resize((2 * reach, max(1, reach // 3)))
        disc.paste(255, (0, 0, 2 * reach, reach))
        disc.paste(upper, (0, reach - upper.height))
        # The gradient is 255 in the corners only; the disc must end on its edge.
        fall = [max(0.0, 1 - (i / 181) ** 0.9) ** 1.3 for i in range(256)]
        glow = disc.point([round(235 * f * dark * lamp.strength) for f in fall])
        warm = Image.merge(
            "RGB", [glow.point([round(i * c / 255) for i in range(256)]) for c in LAMP]
        )
        spot = (round(x) - reach, round(y) - reach)
        whole = Image.new("RGB", image.size)
        whole.paste(warm, spot)
        image.paste(ImageChops.add(image, whole))
    draw = ImageDraw.Draw(image)
    for left, top, right, bottom in place.panes:
        (x0, y0), (x1, y1) = pixel((left, top)), pixel((right, bottom))
        pane = (min(x0, x1) / 4, y0 / 4, max(x0, x1) / 4, y1 / 4)
        draw.rectangle(pane, fill=mix((255, 255, 255), LAMP, 0.2))


def noise_tile(camera: str, size: tuple[int, int]) -> Image.Image:
    """Sensor noise around 128, somewhat larger than the picture so that it can be shifted."""
    seed = chance(camera, "noise").getrandbits(32)
    grain = np.random.default_rng(seed).normal(0.0, 9.0, (size[1] + 64, size[0] + 64))
    tile = Image.fromarray(np.clip(grain + 128, 0, 255).astype(np.uint8))
    return tile.filter(ImageFilter.BoxBlur(0.5))


def as_sensor(
    image: Image.Image, tile: Image.Image, light: Light, shift: tuple[int, int], infrared: bool
) -> Image.Image:
    """The picture as the sensor sees it: grey by infrared, with noise that grows in the dark."""
    grey = infrared and light.day < 0.2
    if grey:
        image = image.convert("L").point([min(255, round(14 + 1.75 * i)) for i in range(256)])
    crop = tile.crop((*shift, shift[0] + image.width, shift[1] + image.height))
    strength = 0.24 + 0.45 * (1 - light.day)
    crop = crop.point([round(128 + (i - 128) * strength) for i in range(256)])
    noise = crop if grey else Image.merge("RGB", (crop,) * 3)
    return ImageChops.add(image, noise, 1, -128).convert("RGB")


def stamp(image: Image.Image, camera: str, moment: datetime) -> None:
    """The name and clock that cameras write into their pictures."""
    size = max(9, round(image.height * 0.031))
    font = ImageFont.load_default(size)
    draw = ImageDraw.Draw(image)
    edge = max(1, math.ceil(size / 14))
    texts = (
        (camera.upper(), "ls", size),
        (f"{moment:%Y-%m-%d  %H:%M:%S}", "rs", image.width - size),
    )
    for text, anchor, x in texts:
        draw.text(
            (x, round(size * 1.6)),
            text,
            fill=(255, 255, 255),
            font=font,
            anchor=anchor,
            stroke_width=edge,
            stroke_fill=(20, 20, 24),
        )
