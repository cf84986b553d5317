"""Each engine sees on real photographs, with the real YOLOv8n, what ultralytics itself sees.

reference_yolov8n.json holds what ultralytics saw (tests/data/make_reference.py). Two networks are
compared with it: one of fixed size, made without torch, always; and the one `task model` exports,
whose input takes the shape of the picture, where a Python with ultralytics is at hand.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from services.detector.engines.choose import Choice, open_engine
from services.detector.engines.engine import Engine
from shared.picture.decode import decode
from shared.settings.detector import DetectorSection
from tests.data.full_model import full_model
from tests.data.make_reference import TARGET, photos
from tests.support.parity import Seen, differences, largest_gap
from tests.support.yolo import run, yolo_python

Pictures = dict[str, np.ndarray]
SOME, ALL = 13, 130
"""Photos compared with every change, and by `task prove`."""


@pytest.fixture(scope="module")
def reference() -> dict:
    return json.loads(TARGET.read_text("utf-8"))


@pytest.fixture(scope="module")
def pictures(test_data) -> Pictures:
    return {photo.name: decode(photo.read_bytes()).pixels for photo in photos(test_data)}


@pytest.fixture(scope="module")
def square_model(test_data, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("square") / "yolov8n.onnx"
    path.write_bytes(full_model(test_data / "weights/yolov8n_int8.onnx"))
    return path


@pytest.fixture(scope="module")
def exported(test_data, tmp_path_factory) -> Path:
    """The folder in which `task model` has put what it makes of the weights."""
    folder = tmp_path_factory.mktemp("models")
    weights = str(test_data / "weights/yolov8n.pt")
    command = ("-m", "services.detector.model", "--consent", "--folder", str(folder))
    told = run(yolo(), *command, "--model", weights)
    assert str(folder / "yolov8n.onnx") in told
    return folder


def yolo() -> Path:
    """A Python with ultralytics, which is optional."""
    python = yolo_python()
    if python is None:
        pytest.skip("no Python with ultralytics: `task yolo` installs it")
    return python


def load(engine: str, model: Path, precision: str = "f32") -> Engine:
    section = DetectorSection(streams=1, precision=precision, device="cpu")
    return open_engine(Choice(engine, model, ""), section, model.parent)


def in_pixels(seen: list, picture: np.ndarray) -> list[Seen]:
    height, width = picture.shape[:2]
    return [
        (label, sure, tuple(np.multiply(box, (width, height, width, height))))
        for label, sure, *box in seen
    ]


class Elsewhere:
    """An engine that looked in another Python, and tells what it saw in the order of the photos."""

    def __init__(self, python: Path, name: str, model: Path, data: Path) -> None:
        told = run(python, "-m", "tests.data.see", name, str(model), str(data))
        self._seen: dict[str, list] = json.loads(told.splitlines()[-1])
        self._next = iter(self._seen.values())

    def detect(self, _picture: np.ndarray) -> SimpleNamespace:
        rows = next(self._next)
        found = [SimpleNamespace(label=row[0], confidence=row[1], box=row[2:]) for row in rows]
        return SimpleNamespace(detections=found)


def compare(
    engine: Engine | Elsewhere, pictures: Pictures, reference: dict, way: str
) -> Iterator[tuple[list[str], float]]:
    """For each picture, in what the engine and the reference differ, and the confidences' gap."""
    for name, picture in pictures.items():
        rows = [(d.label, d.confidence, *d.box) for d in engine.detect(picture).detections]
        found = in_pixels(rows, picture)
        expected = in_pixels(reference["photos"][name][way], picture)
        told = [f"{name}: {text}" for text in differences(expected, found)]
        yield told, largest_gap(expected, found)


def agree(
    engine: Engine | Elsewhere, pictures: Pictures, reference: dict, way: str, gap: float
) -> None:
    results = list(compare(engine, pictures, reference, way))
    assert len(results) == len(pictures) > 0
    assert [text for told, _ in results for text in told] == []
    assert max(gap for _, gap in results) <= gap


def test_the_reference_is_of_these_weights(test_data, reference):
    weights = (test_data / "weights/yolov8n.pt").read_bytes()
    assert hashlib.sha256(weights).hexdigest() == reference["made"]["weights_sha256"]
    assert sum(len(photo["square"]) for photo in reference["photos"].values()) > 600


@pytest.mark.promise("feat E1", "feat E7")
@pytest.mark.parametrize("count", [SOME, pytest.param(ALL, marks=pytest.mark.prove)])
@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_an_engine_sees_what_ultralytics_sees(engine, count, square_model, pictures, reference):
    every = dict(list(pictures.items())[:: ALL // count])
    assert len(every) == count
    agree(load(engine, square_model), every, reference, "square", gap=0.03)


@pytest.mark.prove
@pytest.mark.timeout(900)
@pytest.mark.promise("feat E1")
@pytest.mark.parametrize(
    ("engine", "model"),
    [("onnx", "yolov8n.onnx"), ("openvino", "yolov8n.onnx"), ("openvino", "yolov8n.xml")],
)
def test_an_engine_with_what_task_model_exports_sees_the_same(
    engine, model, exported, pictures, reference
):
    agree(load(engine, exported / model), pictures, reference, "fitted", gap=0.005)


@pytest.mark.prove
@pytest.mark.timeout(900)
@pytest.mark.promise("feat E1")
def test_the_ultralytics_engine_sees_what_ultralytics_sees(
    exported, test_data, pictures, reference
):
    engine = Elsewhere(yolo(), "ultralytics", exported / "yolov8n.pt", test_data)
    agree(engine, pictures, reference, "fitted", gap=0.005)


class Evil:
    """Unpickling it runs a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.prove
@pytest.mark.promise("sec L2")
def test_a_prepared_weights_file_runs_nothing_even_with_consent(tmp_path):
    trace, weights = tmp_path / "owned", tmp_path / "evil.pt"
    weights.write_bytes(pickle.dumps({"model": Evil(f"touch {trace}")}))
    command = ["-m", "services.detector.model", "--consent", "--folder", str(tmp_path / "models")]
    with pytest.raises(AssertionError, match="can't be exported"):
        run(yolo(), *command, "--model", str(weights))
    assert not trace.exists()


@pytest.mark.parametrize("mistake", ["channels exchanged", "upside down", "one label off"])
def test_the_comparison_finds_an_engine_with_a_mistake(mistake, square_model, pictures, reference):
    some = dict(list(pictures.items())[:12])
    engine: Any = load("onnx", square_model)
    if mistake == "channels exchanged":
        some = {name: np.ascontiguousarray(p[:, :, ::-1]) for name, p in some.items()}
    elif mistake == "upside down":
        some = {name: np.ascontiguousarray(p[::-1]) for name, p in some.items()}
    else:
        engine.labels = engine.labels[1:] + engine.labels[:1]
    assert any(told for told, _ in compare(engine, some, reference, "square"))


@pytest.mark.prove
def test_half_precision_changes_few_boxes(square_model, pictures, reference):
    """Full precision on processors without bf16, where this says nothing."""
    some = dict(list(pictures.items())[:40])
    results = compare(load("openvino", square_model, "bf16"), some, reference, "square")
    told = [text for told, _ in results for text in told]
    assert len(told) <= 12, told
