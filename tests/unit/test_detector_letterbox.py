"""The arithmetic between pixels, networks and boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.detector.engines.engine import InFlightCount, Thresholds, cores, parallelism
from services.detector.engines.letterbox import (
    Floats,
    Input,
    Letterbox,
    blank,
    letterbox,
    preprocess,
)
from services.detector.engines.network import NetworkEngine
from services.detector.engines.nms import nms, postprocess
from services.detector.model_file import ModelFile
from shared.picture.decode import Pixels
from tests.support.parity import overlap

FLEXIBLE = Input(640, 640, 32, flexible=True)
FIXED = Input(640, 640)


@pytest.mark.parametrize(
    ("size", "frame", "inner"),
    [
        ((1920, 1080), (640, 384), (640, 360)),
        ((810, 1080), (480, 640), (480, 640)),
        ((640, 480), (640, 480), (640, 480)),
        ((320, 320), (640, 640), (640, 640)),
        ((10_000, 10), (640, 32), (640, 1)),
    ],
)
def test_a_flexible_network_gets_as_little_padding_as_its_stride_allows(size, frame, inner):
    placed = letterbox(size[0], size[1], FLEXIBLE)
    assert (placed.width, placed.height) == frame
    assert (placed.scaled_width, placed.scaled_height) == inner


@given(width=st.integers(1, 9000), height=st.integers(1, 9000), flexible=st.booleans())
def test_every_picture_lies_wholly_inside_its_frame(width, height, flexible):
    frame = letterbox(width, height, FLEXIBLE if flexible else FIXED)
    assert frame.left >= 0 and frame.left + frame.scaled_width <= frame.width <= 640
    assert frame.top >= 0 and frame.top + frame.scaled_height <= frame.height <= 640
    assert frame.width % 32 == frame.height % 32 == 0
    assert 640 in (frame.scaled_width, frame.scaled_height)


def test_the_tensor_is_red_green_blue_from_0_to_1_on_grey():
    pixels = np.zeros((10, 20, 3), dtype=np.uint8)
    pixels[:] = (255, 51, 0)  # blue, green, red
    made = tensor_of(pixels, letterbox(20, 10, Input(64, 64)))
    assert made.shape == (1, 3, 64, 64)
    assert made.dtype == np.float32
    assert made[0, :, 32, 32].tolist() == pytest.approx([0, 0.2, 1.0])
    assert made[0, :, 0, 0].tolist() == pytest.approx([114 / 255] * 3)


def tensor_of(pixels: Pixels, box: Letterbox) -> Floats:
    made = blank(box)
    preprocess(pixels, box, made)
    return made


@given(
    width=st.integers(1, 3000),
    height=st.integers(1, 3000),
    seed=st.integers(0, 9),
    flexible=st.booleans(),
)
@example(width=5000, height=1, seed=0, flexible=True)
@example(width=1920, height=1080, seed=1, flexible=True)
@example(width=640, height=480, seed=1, flexible=False)
@settings(max_examples=25, deadline=None)
def test_a_picture_of_any_size_is_scaled_bilinearly_and_nothing_else(width, height, seed, flexible):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    box = letterbox(width, height, FLEXIBLE if flexible else FIXED)
    right, bottom = box.left + box.scaled_width, box.top + box.scaled_height
    made = tensor_of(pixels, box)
    inside = made[0, ::-1, box.top : bottom, box.left : right].transpose(1, 2, 0)
    rows = lines(pixels.astype(np.float32), box.scaled_height)
    expected = lines(rows.transpose(1, 0, 2), box.scaled_width).transpose(1, 0, 2)
    assert np.abs(inside * 255 - expected).max() < 0.1
    inside[:] = np.nan
    padding = made[~np.isnan(made)]
    assert padding.size == 3 * (box.width * box.height - inside.shape[0] * inside.shape[1])
    assert (padding == np.float32(114 / 255)).all()


def test_nothing_of_a_picture_is_left_for_the_next_one():
    seen: list[Floats] = []

    def run(batch: Floats) -> Floats:
        seen.append(batch.copy())
        return np.zeros((1, 84, 10), dtype=np.float32)

    file = ModelFile(Path("some.onnx"), "0")
    engine = NetworkEngine(
        "any", file, FLEXIBLE, Thresholds(), latency=run, throughput=None, detail=""
    )
    rng = np.random.default_rng(1)
    sizes = ((100, 90), (90, 100), (90, 100), (360, 640), (90, 100), (100, 90))
    pictures = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]
    for pixels in pictures:
        engine.detect(pixels)
    for pixels, batch in zip(pictures, seen, strict=True):
        expected = tensor_of(pixels, letterbox(pixels.shape[1], pixels.shape[0], FLEXIBLE))
        np.testing.assert_array_equal(batch, expected)


def lines(pixels: Floats, count: int) -> Floats:
    """So many lines between those that are there, each as much of its neighbours as it is near."""
    places = ((np.arange(count) + 0.5) * len(pixels) / count - 0.5).clip(0, len(pixels) - 1)
    above = places.astype(int)
    share = (places - above).astype(np.float32)[:, None, None]
    below = np.minimum(above + 1, len(pixels) - 1)
    return pixels[above] * (1 - share) + pixels[below] * share


boxes_of_kinds = st.lists(
    st.tuples(
        st.integers(0, 20), st.integers(0, 20), st.integers(1, 12), st.integers(1, 12),
        st.integers(0, 2),
    ),
    max_size=25,
)  # fmt: skip


@given(given_boxes=boxes_of_kinds, iou=st.sampled_from([0.3, 0.5, 0.7]))
def test_suppression_keeps_what_no_surer_kept_box_of_its_kind_overlaps(given_boxes, iou):
    boxes = [(x, y, x + w, y + h) for x, y, w, h, _ in given_boxes]
    kinds = [kind for *_, kind in given_boxes]
    expected: list[int] = []
    for i, box in enumerate(boxes):
        rivals = [k for k in expected if kinds[k] == kinds[i]]
        if all(overlap(box, boxes[k]) <= iou + 1e-6 for k in rivals):
            expected.append(i)
    array = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    found = nms(array, np.array(kinds, dtype=np.intp), iou + 1e-6, 300)
    assert found.tolist() == expected
    assert nms(array, np.array(kinds, dtype=np.intp), iou, 2).size <= 2


def test_detections_come_surest_first_inside_the_picture():
    output = np.zeros((1, 6, 3), dtype=np.float32)
    output[0, :, 0] = (0, 32, 40, 40, 0.5, 0.1)  # its left half lies outside
    output[0, :, 1] = (32, 32, 10, 10, 0.2, 0.9)
    output[0, :, 2] = (32, 32, 10, 10, 0.2, 0.25)  # not above the threshold
    found = postprocess(output, letterbox(64, 64, Input(64, 64)), ("cat", "dog"), Thresholds(0.25))
    assert [(d.label, d.confidence) for d in found] == [("dog", 0.9), ("cat", 0.5)]
    assert found[1].box == (0.0, 0.1875, 0.3125, 0.8125)


def test_a_picture_alone_is_told_so_and_a_second_one_is_not():
    in_flight = InFlightCount()
    with in_flight.enter() as first, in_flight.enter() as second:
        assert (first, second) == (True, False)
    with in_flight.enter() as again:
        assert again


def test_streams_are_one_per_core_unless_told_otherwise():
    assert cores() >= 1
    assert parallelism(0, 0, 4).streams == 4
    assert parallelism(0, 0, 4).threads == 1
    assert parallelism(1, 0, 4).threads == 4
    assert parallelism(3, 2, 4).threads == 2
