"""The shipped demo model: small, in YOLOv8's layout, and good at the drawn scenes."""

from __future__ import annotations

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from services.simulator.scenes import Drawn, Scene

MODEL = Path(__file__).parents[2] / "services" / "simulator" / "figures.onnx"
NAMES = {0: "person", 1: "car", 2: "cat"}
Found = list[tuple[str, float, tuple[float, float, float, float]]]


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(str(MODEL), options, providers=["CPUExecutionProvider"])


def test_the_file_is_small_and_has_the_layout_of_yolov8(
    session: onnxruntime.InferenceSession,
) -> None:
    assert MODEL.stat().st_size <= 1_000_000
    (images,), (output,) = session.get_inputs(), session.get_outputs()
    assert (images.name, images.type, images.shape) == ("images", "tensor(float)", [1, 3, 640, 640])
    assert (output.name, output.type) == ("output0", "tensor(float)")
    assert output.shape[:2] == [1, 4 + len(NAMES)]
    about = session.get_modelmeta().custom_metadata_map
    assert ast.literal_eval(about["names"]) == NAMES
    assert int(about["stride"]) == 32
    assert "demo" in about["description"]
    assert "MIT" in about["description"]


def test_an_empty_grey_picture_holds_nothing(session: onnxruntime.InferenceSession) -> None:
    assert detect(session, Image.new("RGB", (640, 640), (114, 114, 114)), least=0.25) == []


@pytest.mark.parametrize(
    "camera",
    [
        "porch",
        *(pytest.param(each, marks=pytest.mark.prove) for each in ("gate", "yard")),
        "a camera it was not trained on",
    ],
)
def test_the_figures_of_held_out_scenes_are_found(
    session: onnxruntime.InferenceSession, camera: str
) -> None:
    scene, hits, missed, invented = Scene(camera), 0, 0, 0
    start = datetime(2026, 7, 14, 0, 3, tzinfo=UTC)
    for i in range(40):
        # Every hour of the day is among them.
        drawn = scene.at(start + timedelta(seconds=2161 * i))
        found = detect(session, drawn.image, least=0.5)
        one, two, three = compare(found, drawn)
        hits, missed, invented = hits + one, missed + two, invented + three
    assert hits >= 30
    assert hits / (hits + missed) >= 0.9
    assert hits / (hits + invented) >= 0.9


def compare(found: Found, drawn: Drawn) -> tuple[int, int, int]:
    """How many figures were found, missed and invented; the mostly hidden ones count for nothing.

    A figure is found by a box of its label with an IoU of at least 0.5.
    """
    left, hits, invented = list(drawn.figures), 0, 0
    for label, _, box in found:
        fitting = [f for f in left if f.label == label and overlap(f.box, box) >= 0.5]
        if not fitting:
            invented += 1
            continue
        best = max(fitting, key=lambda figure: overlap(figure.box, box))
        left.remove(best)
        hits += best.visible >= 0.5
    return hits, sum(figure.visible >= 0.5 for figure in left), invented


def detect(session: onnxruntime.InferenceSession, image: Image.Image, least: float) -> Found:
    scale = 640 / max(image.size)
    fitted = image.resize((round(image.width * scale), round(image.height * scale)))
    at = ((640 - fitted.width) // 2, (640 - fitted.height) // 2)
    whole = Image.new("RGB", (640, 640), (114, 114, 114))
    whole.paste(fitted, at)
    pixels = np.asarray(whole, np.float32).transpose(2, 0, 1)[None] / 255
    (rows,) = session.run(["output0"], {"images": np.ascontiguousarray(pixels)})
    sure = rows[0].T[rows[0][4:].max(axis=0) >= least]
    found: Found = []
    for cx, cy, w, h, *scores in sorted(sure.tolist(), key=lambda row: -max(row[4:])):
        score = max(scores)
        label = NAMES[scores.index(score)]
        corners = (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
        left, top, right, low = ((edge - at[i % 2]) / scale for i, edge in enumerate(corners))
        box = (left, top, right, low)
        if all(label != other or overlap(box, kept) < 0.7 for other, _, kept in found):
            found.append((label, score, box))
    return found


def overlap(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> float:
    wide = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    high = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    both = wide * high
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return both / (areas - both)
