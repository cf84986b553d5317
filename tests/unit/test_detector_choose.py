"""Which engine runs which model."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from services.detector.engines import choose as module
from services.detector.engines.choose import choose
from services.detector.engines.engine import EngineUnavailable
from shared.settings.detector import DetectorSection


@pytest.fixture
def installed(monkeypatch):
    """Says which libraries there are."""

    def say(*names: str) -> None:
        monkeypatch.setattr(
            module, "find_spec", lambda name: find_spec("sys") if name in names else None
        )

    say("openvino", "onnxruntime", "ultralytics")
    monkeypatch.setattr(module, "_order", lambda: ("openvino", "onnx", "ultralytics"))
    return say


def folder_with(tmp_path, *names: str):
    for name in names:
        (tmp_path / name).touch()
    return DetectorSection(models=tmp_path)


def test_on_a_cpu_the_fastest_installed_engine_is_chosen(installed, tmp_path):
    settings = folder_with(tmp_path, "yolov8n.pt", "yolov8n.onnx", "yolov8n.xml", "yolov8n.bin")
    choice = choose(settings)
    assert (choice.engine, choice.model.name) == ("openvino", "yolov8n.xml")
    assert "fastest installed" in choice.why
    installed("onnxruntime", "ultralytics")
    assert choose(settings).engine == "onnx"
    installed("ultralytics")
    assert (choose(settings).engine, choose(settings).model.name) == ("ultralytics", "yolov8n.pt")


def test_on_a_gpu_torch_is_the_fastest(installed, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_order", lambda: ("ultralytics", "openvino", "onnx"))
    settings = folder_with(tmp_path, "yolov8n.pt")
    assert choose(settings).engine == "ultralytics"


def test_a_named_model_is_taken_and_yolov8n_goes_before_others(installed, tmp_path):
    settings = folder_with(tmp_path, "a.onnx", "yolov8n.onnx")
    assert choose(settings).model.name == "yolov8n.onnx"
    named = settings.model_copy(update={"model": tmp_path / "a.onnx"})
    assert choose(named).model.name == "a.onnx"


@pytest.mark.parametrize(
    ("names", "libraries", "settings", "words"),
    [
        ((), ("openvino",), {}, "run `task model`"),
        (("x.onnx",), (), {}, "uv pip install onnxruntime"),
        (("x.pt",), ("openvino",), {}, "./taskw yolo"),
        (("x.onnx",), ("onnxruntime",), {"engine": "openvino"}, "uv pip install openvino"),
        (("x.onnx",), ("ultralytics",), {"engine": "ultralytics"}, r"reads \.pt files"),
        (("x.onnx",), ("openvino",), {"engine": "none"}, "switched off"),
        (("x.onnx",), ("openvino",), {"enabled": False}, "switched off"),
    ],
)
def test_what_can_not_run_says_why_and_what_to_do(
    installed, tmp_path, names, libraries, settings, words
):
    installed(*libraries)
    section = folder_with(tmp_path, *names).model_copy(update=settings)
    with pytest.raises(EngineUnavailable, match=words):
        choose(section)


def test_a_folder_that_is_not_there_has_no_model(installed, tmp_path):
    with pytest.raises(EngineUnavailable, match="no model in the folder"):
        choose(DetectorSection(models=tmp_path / "none"))
