"""Pictures that look alike, and somebody small who must not be overlooked."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from services.simulator.scenes import Drawn, Scene
from services.simulator.visits import Visitor, visitors
from shared.picture.decode import decode
from shared.picture.likeness import MOST, Likeness
from shared.settings.paid import ThriftSection
from tests.support.pictures import jpeg, scene

THRIFT = ThriftSection(price=0.001)
ALIKE, EDGE = THRIFT.alike, THRIFT.edge
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def looks(picture: bytes) -> Likeness:
    return Likeness.of(decode(picture, fit=(1920, 1920)).pixels)


def usual_hash(picture: bytes) -> int:
    """The difference hash of 64 bits that is used to find copies."""
    image = Image.open(io.BytesIO(picture)).convert("L").resize((9, 8), Image.Resampling.BOX)
    cells = np.asarray(image, dtype=np.int16)
    bits = (cells[:, 1:] > cells[:, :-1]).ravel()
    return int("".join("1" if each else "0" for each in bits), 2)


def somebody(look: Scene, moment: datetime) -> Drawn | None:
    """The picture of that moment with one person who walks by, if one can be seen."""
    cast: list[Visitor] = [
        each for each in visitors(look.camera, look.place, moment) if each.kind == "person"
    ]
    drawn = look.draw(moment, cast[:1])
    return drawn if drawn.figures and drawn.figures[0].visible > 0.5 else None


@pytest.mark.promise("feat E29")
@pytest.mark.parametrize("camera", ["porch", "gate", "yard", "front"])
@pytest.mark.parametrize("hour", [12.0, 23.0])
def test_a_place_stays_the_same_through_noise_and_its_clock_and_somebody_changes_it(
    camera: str, hour: float
) -> None:
    look = Scene(camera, (960, 540), hour=hour)
    empty = looks(look.draw(NOON, []).jpeg())
    later = [looks(look.draw(NOON + timedelta(seconds=977 * n), []).jpeg()) for n in range(1, 4)]
    people = filter(None, (somebody(look, NOON + timedelta(seconds=31 * n)) for n in range(16)))

    same = max(empty.difference(each, EDGE) for each in later)
    somewhere = [empty.difference(looks(each.jpeg()), EDGE) for each in people]

    assert same < ALIKE
    assert len(somewhere) > 3
    assert min(somewhere) > ALIKE


@pytest.mark.promise("feat E29")
@pytest.mark.parametrize("camera", ["porch", "gate", "yard"])
def test_a_cloud_over_a_place_does_not_change_it(camera: str) -> None:
    image = Scene(camera, (960, 540), hour=12.0).draw(NOON, []).image
    shade = np.linspace(0.7, 1.1, image.width)[None, :, None]
    clouded = np.clip(np.asarray(image) * shade, 0, 255).astype(np.uint8)

    first, second = looks(jpeg(image)), looks(jpeg(Image.fromarray(clouded)))

    assert first.difference(second, EDGE) < ALIKE


def test_the_usual_hash_would_overlook_who_walks_by() -> None:
    look = Scene("gate", (960, 540), hour=12.0)
    empty = usual_hash(look.draw(NOON, []).jpeg())
    people = filter(None, (somebody(look, NOON + timedelta(seconds=31 * n)) for n in range(16)))

    changed = [(usual_hash(each.jpeg()) ^ empty).bit_count() for each in people]

    assert min(changed) <= 5  # ten are the usual limit, and five a strict one


def photograph(data: Path) -> Image.Image:
    file = next(iter(sorted((data / "photos").glob("*.jpg"))))
    image = Image.open(file).convert("RGB")
    image.thumbnail((1280, 1280))
    return image


def taken_again(image: Image.Image, number: int) -> bytes:
    """The same place a moment later: noise, a little more or less light, another quality."""
    noise = np.random.default_rng(number).normal(0, 6, (image.height, image.width, 3))
    pixels = np.clip(np.asarray(image, dtype=np.float32) + noise, 0, 255).astype(np.uint8)
    lighter = ImageEnhance.Brightness(Image.fromarray(pixels)).enhance(1 + (number % 7 - 3) / 50)
    return jpeg(lighter, quality=70 + number % 20)


@pytest.mark.promise("feat E29")
def test_a_photograph_taken_again_is_the_same_and_with_a_small_person_it_is_not(
    test_data: Path,
) -> None:
    image = photograph(test_data)
    first = looks(taken_again(image, 0))
    height = image.height // 9  # a person far away: a three-hundredth of the picture
    figure = Image.new("RGB", (height // 3, height), (38, 42, 58))
    busy = image.copy()
    busy.paste(figure, (image.width // 2, image.height // 2))

    assert max(first.difference(looks(taken_again(image, n)), EDGE) for n in range(1, 6)) < ALIKE
    assert min(first.difference(looks(taken_again(busy, n)), EDGE) for n in range(1, 6)) > ALIKE


def test_pictures_of_another_shape_and_texts_of_another_version_are_no_likeness() -> None:
    wide, tall = looks(jpeg(scene(320, 240))), looks(jpeg(scene(240, 320)))
    assert (wide.columns, wide.rows) == (64, 48)
    assert wide.difference(tall) == MOST
    assert wide.difference(wide) == 0
    assert Likeness.read(str(wide)) == wide
    for text in ("", "64x48:", "64x48:AAAA", "2x1:!!", "axb:AAA=", "v2"):
        assert Likeness.read(text) is None


def test_a_picture_of_one_pixel_and_one_of_one_colour_have_looks() -> None:
    assert Likeness.of(np.zeros((1, 1, 3), dtype=np.uint8)).difference(
        Likeness.of(np.full((1, 1, 3), 255, dtype=np.uint8))
    ) == 0.0  # fmt: skip
    grey = Likeness.of(np.full((48, 64, 3), 100, dtype=np.uint8))
    assert set(grey.cells) == {0}
