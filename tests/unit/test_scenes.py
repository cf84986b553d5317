"""The drawn scenes: the same moment gives the same picture, and the truth about it is true."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from services.simulator.scenes import LABELS, LOOKS, Scene, look_of
from services.simulator.visits import visitors

NOON = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


def moments(count: int, step: float = 17.0) -> list[datetime]:
    return [NOON + timedelta(seconds=step * i) for i in range(count)]


@pytest.mark.parametrize("camera", ["porch", "gate", "yard", "some other camera"])
def test_the_same_camera_and_moment_give_the_same_bytes(camera: str) -> None:
    moment = NOON + timedelta(seconds=33)
    first, again = (Scene(camera, (240, 135)).at(moment) for _ in range(2))
    assert first.jpeg() == again.jpeg()
    assert first.figures == again.figures


def test_pictures_drawn_before_do_not_change_a_later_one() -> None:
    used = Scene("porch", (240, 135))
    for hour in (2, 12, 19, 23):
        used.at(NOON.replace(hour=hour))
    assert used.at(NOON).jpeg() == Scene("porch", (240, 135)).at(NOON).jpeg()


@pytest.mark.parametrize("size", [(640, 360), (320, 240), (176, 144), (180, 320)])
def test_a_picture_is_a_jpeg_of_the_asked_size(size: tuple[int, int]) -> None:
    picture = Image.open(io.BytesIO(Scene("gate", size).at(NOON).jpeg()))
    assert (picture.format, picture.size, picture.mode) == ("JPEG", size, "RGB")


@pytest.mark.parametrize("camera", ["porch", "gate", "yard", "far corner", "stable"])
def test_boxes_lie_within_the_picture_and_have_known_labels(camera: str) -> None:
    scene = Scene(camera, (320, 180), stamped=False)
    for moment in moments(15):
        for figure in scene.at(moment).figures:
            left, top, right, bottom = figure.box
            assert 0 <= left < right <= 320
            assert 0 <= top < bottom <= 180
            assert figure.label in LABELS
            assert 0 < figure.visible <= 1


def test_people_cars_and_cats_come_and_go() -> None:
    scene = Scene("porch", (160, 90), stamped=False)
    seen = [{figure.label for figure in scene.at(moment).figures} for moment in moments(100, 62)]
    assert set().union(*seen) == set(LABELS)
    assert set() in seen
    with_people = sum("person" in labels for labels in seen)
    assert 0.2 < with_people / len(seen) < 0.9


def test_a_box_encloses_what_the_visitor_changed() -> None:
    scene = Scene("yard", (320, 180), hour=12, stamped=False)
    casts = ((moment, visitors("yard", scene.place, moment)) for moment in moments(200))
    drawn = (scene.draw(*each) for each in casts if [one.kind for one in each[1]] == ["cat"])
    alone = next(each for each in drawn if each.figures)
    empty = scene.draw(NOON, [])
    left, top, right, bottom = (round(edge) for edge in alone.figures[0].box)
    middle = ((left + right) // 2, (top + bottom) // 2)
    box = (left, top, right, bottom)
    changed = sum(
        max(abs(a - b) for a, b in zip(one, other, strict=True)) > 40
        for one, other in zip(_pixels(alone.image, box), _pixels(empty.image, box), strict=True)
    )
    assert changed > 0.15 * (right - left) * (bottom - top), middle


def _pixels(image: Image.Image, box: tuple[int, int, int, int]) -> list[tuple[int, int, int]]:
    data = image.crop(box).tobytes()
    return [(data[i], data[i + 1], data[i + 2]) for i in range(0, len(data), 3)]


def test_night_is_darker_than_day_and_infrared_is_grey() -> None:
    def mean(camera: str, hour: float) -> tuple[float, ...]:
        image = Scene(camera, (320, 180), hour=hour, stamped=False).draw(NOON, []).image
        pixel = image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
        assert isinstance(pixel, tuple)
        return tuple(float(part) for part in pixel)

    assert sum(mean("porch", 1)) < 0.7 * sum(mean("porch", 12))
    red, green, blue = mean("gate", 1)
    assert red == green == blue


def test_a_camera_name_asks_for_a_look() -> None:
    assert (look_of("porch"), look_of("Front Gate"), look_of("barn-2")) == LOOKS
    assert look_of("x17") == look_of("x17")
