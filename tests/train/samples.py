"""Training pictures: crowded drawn scenes, cut out, turned and letterboxed as detectors do."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from services.simulator.drawing.shapes import Box, chance
from services.simulator.scenes import LABELS, LOOKS, Drawn, Scene
from services.simulator.visits import Visitor, parked, stroller, walker

GREY = (114, 114, 114)
FIRST = datetime(2025, 3, 1, tzinfo=UTC)
FRAMES = 8  # pictures drawn of each place


@dataclass(frozen=True, slots=True)
class Sample:
    """A letterboxed picture; rows of label, cx, cy, w, h, visible share, in its pixels."""

    pixels: np.ndarray
    rows: np.ndarray


def place_samples(place: int, size: tuple[int, int], seed: str) -> list[Sample]:
    """Samples of one place by two lights; the same for the same seed and number."""
    rng = chance(seed, "place", place)
    shape = rng.choice(((1280, 720), (1280, 720), (960, 720), (1024, 576), (640, 480)))
    look = LOOKS[place % 3]
    # The cameras of the demo are among those that are learned.
    camera = look if rng.random() < 0.2 else f"{seed}-{place}"
    # Figures are hardest to see in the dark, so half of the pictures are of the dark hours.
    hours = (rng.uniform(5.5, 20), rng.uniform(19, 30.5) % 24)
    scenes = [Scene(camera, shape, look, hour, rng.random() < 0.8) for hour in hours]
    samples = []
    for frame in range(FRAMES):
        rng = chance(seed, "frame", place, frame)
        scene = scenes[frame % 2]
        moment = FIRST + timedelta(seconds=rng.randrange(30_000_000))
        drawn = scene.draw(moment, _crowd(scene, rng, f"{seed}-{place}-{frame}"))
        samples.append(_cut(drawn, size, rng))
    return samples


def data_set(
    folder: Path, places: int, size: tuple[int, int], seed: str, workers: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Draws the samples of so many places, or takes them from the folder if they are there."""
    pictures, rows = folder / "pictures.npy", folder / "rows.npz"
    if not rows.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shape = (places * FRAMES, size[1], size[0], 3)
        array = np.lib.format.open_memmap(pictures, "w+", np.uint8, shape)
        found: list[np.ndarray] = []
        draw = partial(place_samples, size=size, seed=seed)
        with get_context("spawn").Pool(workers) as pool:
            for samples in pool.imap(draw, range(places)):
                for sample in samples:
                    array[len(found)] = sample.pixels
                    found.append(sample.rows)
        array.flush()
        np.savez(rows, *found)
    kept = np.load(rows)
    return np.load(pictures, mmap_mode="r"), [kept[f"arr_{i}"] for i in range(len(kept.files))]


def _crowd(scene: Scene, rng: random.Random, seed: str) -> list[Visitor]:
    """More visitors than usual, wherever the place lets them be."""
    place, cast = scene.place, []
    for i in range(rng.choices((0, 1, 2, 3, 4, 5), (1, 3, 4, 4, 3, 2))[0]):
        route = rng.choice(place.routes)
        standing = rng.random() < 0.25
        aside = rng.uniform(-140, 140) if rng.random() < 0.6 else rng.uniform(-26, 26)
        person = walker(
            place,
            route[::-1] if rng.random() < 0.5 else route,
            rng.random(),
            f"{seed}-person-{i}",
            aside,
            standing,
            standing and rng.random() < 0.5,
        )
        cast.append(person)
    for i in range(rng.choices((0, 1, 2), (5, 6, 1))[0]):
        cast.append(parked(rng, rng.choice(place.spots), f"{seed}-car-{i}"))
    for i in range(rng.choices((0, 1, 2), (4, 6, 3))[0]):
        route = rng.choice(place.cat_routes)
        cast.append(stroller(rng, route, rng.random(), f"{seed}-cat-{i}"))
    if rng.random() < 0.5:
        cast.append(Visitor("parcel", rng.choice(place.parcels), f"{seed}-parcel"))
    return cast


def _cut(drawn: Drawn, size: tuple[int, int], rng: random.Random) -> Sample:
    """A part of the picture (or all of it), maybe mirrored, brighter or duller, letterboxed."""
    image = drawn.image
    wide, high = image.size
    area: Box = (0, 0, wide, high)
    if rng.random() < 0.4:
        share = rng.uniform(0.55, 0.98)
        left, top = rng.uniform(0, 1 - share) * wide, rng.uniform(0, 1 - share) * high
        area = (left, top, left + share * wide, top + share * high)
    image = image.crop((round(area[0]), round(area[1]), round(area[2]), round(area[3])))
    image = ImageEnhance.Color(image).enhance(rng.uniform(0.6, 1.25))
    image = ImageEnhance.Brightness(image).enhance(rng.uniform(0.78, 1.2))
    image = ImageEnhance.Contrast(image).enhance(rng.uniform(0.85, 1.15))
    mirrored = rng.random() < 0.5
    if mirrored:
        image = ImageOps.mirror(image)
    rows = []
    for figure in drawn.figures:
        left, top = max(figure.box[0], area[0]) - area[0], max(figure.box[1], area[1]) - area[1]
        right, low = min(figure.box[2], area[2]) - area[0], min(figure.box[3], area[3]) - area[1]
        if right - left < 2 or low - top < 2:
            continue
        whole = (figure.box[2] - figure.box[0]) * (figure.box[3] - figure.box[1])
        visible = figure.visible * (right - left) * (low - top) / whole
        if mirrored:
            left, right = image.width - right, image.width - left
        rows.append((LABELS.index(figure.label), left, top, right, low, visible))
    return _letterboxed(image, np.array(rows, np.float32).reshape(-1, 6), size)


def letterbox(image: Image.Image, size: tuple[int, int]) -> tuple[Image.Image, float, int, int]:
    """The picture in the middle of a grey one of that size; its scale and place there."""
    scale = min(size[0] / image.width, size[1] / image.height)
    fitted = (round(image.width * scale), round(image.height * scale))
    left, top = (size[0] - fitted[0]) // 2, (size[1] - fitted[1]) // 2
    whole = Image.new("RGB", size, GREY)
    whole.paste(image.resize(fitted, Image.Resampling.BILINEAR), (left, top))
    return whole, scale, left, top


def _letterboxed(image: Image.Image, rows: np.ndarray, size: tuple[int, int]) -> Sample:
    whole, scale, left, top = letterbox(image, size)
    x0, x1 = rows[:, 1] * scale + left, rows[:, 3] * scale + left
    y0, y1 = rows[:, 2] * scale + top, rows[:, 4] * scale + top
    boxed = np.stack(
        (rows[:, 0], (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, rows[:, 5]), axis=1
    )
    return Sample(np.asarray(whole), boxed)
