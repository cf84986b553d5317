"""Ultralytics' engine beside a stand-in for its library: what it is told, and what it answers."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from services.detector.engines.choose import Choice, open_engine
from services.detector.engines.ultralytics import UltralyticsEngine
from services.detector.model_file import hash_of, record_path
from shared.settings.detector import DetectorSection


class Yolo:
    """A model that sees one red thing, and remembers what it was asked."""

    names = {0: "red", 1: "blue"}  # noqa: RUF012  as the library has it
    asked: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, weights: str, task: str) -> None:
        self.weights = weights

    def predict(self, _pixels: object, **options: Any) -> list[Any]:
        Yolo.asked = options
        boxes = SimpleNamespace(
            cls=np.array([0.0]), conf=np.array([0.93]), xyxyn=np.array([[0.1, 0.2, 0.3, 1.2]])
        )
        speed = {"preprocess": 1.0, "inference": 2.0}
        return [SimpleNamespace(speed=speed, names=self.names, boxes=boxes)]


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model that a record describes, and the library as far as the engine uses it."""
    library, torch = ModuleType("ultralytics"), ModuleType("torch")
    vars(library).update(YOLO=Yolo, __version__="8", settings={})
    vars(torch).update(
        cuda=SimpleNamespace(is_available=lambda: False), set_num_threads=lambda _: None
    )
    monkeypatch.setitem(sys.modules, "ultralytics", library)
    monkeypatch.setitem(sys.modules, "torch", torch)
    for name in ("ULTRALYTICS_SAFE_LOAD", "YOLO_OFFLINE", "YOLO_AUTOINSTALL", "YOLO_VERBOSE"):
        monkeypatch.setenv(name, "")  # given back afterwards: the engine sets them
    monkeypatch.setenv("YOLO_CONFIG_DIR", "")
    path = tmp_path / "colours.pt"
    path.write_bytes(b"weights")
    record_path(path).write_text(f'{{"sha256": "{hash_of(path)}", "labels": ["red", "blue"]}}')
    return path


@pytest.mark.promise("feat E25")
def test_the_library_is_told_how_sure_it_must_be_and_its_answer_becomes_ours(
    weights: Path, tmp_path: Path
):
    settings = DetectorSection(confidence=0.81, iou=0.33)

    engine = open_engine(Choice("ultralytics", weights, ""), settings, tmp_path)
    (found,) = engine.detect(np.zeros((40, 80, 3), np.uint8)).detections

    assert isinstance(engine, UltralyticsEngine)
    assert (Yolo.asked["conf"], Yolo.asked["iou"]) == (0.81, 0.33)
    assert (found.label, found.confidence, found.box) == ("red", 0.93, (0.1, 0.2, 0.3, 1.0))
    assert engine.labels == ("red", "blue")
