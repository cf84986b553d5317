"""Chooses the engine and the model: as the settings say, or from what is installed and present."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from services.detector.engines.engine import (
    Engine,
    EngineFailed,
    EngineUnavailable,
    Thresholds,
    cores,
    parallelism,
)
from services.detector.hush import hush
from services.detector.model_file import read_model_file
from shared.settings.detector import DetectorSection

_LIBRARY = {"openvino": "openvino", "onnx": "onnxruntime", "ultralytics": "ultralytics"}
_READS = {
    "openvino": (".xml", ".onnx"),
    "onnx": (".onnx",),
    "ultralytics": (".pt",),
}
_FAVOURITE = "yolov8n"


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, a model for it, and why these."""

    engine: str
    model: Path
    why: str


def choose(settings: DetectorSection) -> Choice:
    """What to run; raises EngineUnavailable if there is nothing to run, and says what to do."""
    if not settings.enabled:
        raise EngineUnavailable("detection is switched off by detector.enabled")
    if settings.engine == "none":
        raise EngineUnavailable("detection is switched off (detector.engine is none)")
    models = candidates(settings)
    if settings.engine != "auto":
        return _fixed(settings.engine, models, settings)
    engines = _order()
    for model in models:
        for engine in engines:
            if model.suffix in _READS[engine] and find_spec(_LIBRARY[engine]):
                others = [name for name in engines if name != engine and find_spec(_LIBRARY[name])]
                also = f"; also installed: {', '.join(others)}" if others else ""
                return Choice(engine, model, f"the fastest installed that reads {model.name}{also}")
    raise EngineUnavailable(_missing(models, settings))


def candidates(settings: DetectorSection) -> list[Path]:
    """The model files to choose from: the one of ``model``, those of this name in the folder of
    models, or all there."""
    wanted = settings.model
    if wanted is None:
        return _models(settings.models)
    if _is_name(wanted):
        return [path for path in _models(settings.models) if path.stem == str(wanted)]
    return [wanted]


def _is_name(model: Path) -> bool:
    return not model.suffix and model.name == str(model) and not model.exists()


def open_engine(choice: Choice, settings: DetectorSection, data: Path) -> Engine:
    """Load the chosen model and try it on one grey picture; raises EngineUnavailable.

    ``data`` is where libraries may write, and what a start makes is kept for the next one.
    """
    engine = _load(choice, settings, data)
    try:
        engine.detect(np.full((360, 640, 3), 114, dtype=np.uint8))
    except EngineFailed as error:
        raise EngineUnavailable(f"{choice.model} loads, but does not run: {error}") from error
    return engine


def _load(choice: Choice, settings: DetectorSection, data: Path) -> Engine:
    thresholds = Thresholds(settings.confidence, settings.iou)
    file = read_model_file(choice.model)
    parallel = parallelism(settings.streams, settings.threads, cores())
    hush()
    if choice.engine == "openvino":
        from services.detector.engines import openvino

        return openvino.open_engine(
            file, thresholds, parallel, settings.precision, data / "openvino"
        )
    if choice.engine == "onnx":
        from services.detector.engines import onnx

        return onnx.open_engine(file, thresholds, parallel)
    from services.detector import trusted
    from services.detector.engines import ultralytics

    trusted.check_trusted(file)
    return ultralytics.UltralyticsEngine(
        file, thresholds, parallel, settings.device, data / "ultralytics"
    )


def _order() -> tuple[str, ...]:
    """Fastest first. On a GPU that is torch; on a CPU torch is the slowest."""
    if Path("/dev/nvidiactl").exists():
        return ("ultralytics", "openvino", "onnx")
    return ("openvino", "onnx", "ultralytics")


def _models(folder: Path) -> list[Path]:
    """The model files of a folder, the favourite first, then by name; ready forms before .pt."""
    forms = (".xml", ".onnx", ".pt")
    found = [path for path in folder.glob("*") if path.suffix in forms] if folder.is_dir() else []
    return sorted(
        found, key=lambda path: (path.stem != _FAVOURITE, path.stem, forms.index(path.suffix))
    )


def _fixed(engine: str, models: list[Path], settings: DetectorSection) -> Choice:
    if not find_spec(_LIBRARY[engine]):
        raise EngineUnavailable(f"detector.engine is {engine}, but {_install(engine)}")
    for model in models:
        if model.suffix in _READS[engine]:
            return Choice(engine, model, "detector.engine says so")
    raise EngineUnavailable(
        f"detector.engine is {engine}, which reads {' and '.join(_READS[engine])} files; "
        + _missing(models, settings)
    )


def _missing(models: list[Path], settings: DetectorSection) -> str:
    if not models and settings.model and str(settings.model) != _FAVOURITE:
        return (
            f"no model {settings.model} in the folder {settings.models}; "
            f"run `task model MODEL=path/to/{settings.model}.onnx`"
        )
    if not models:
        return f"no model in the folder {settings.models}; run `task model`"
    names = ", ".join(model.name for model in models)
    wanted = sorted({engine for engine in _READS for m in models if m.suffix in _READS[engine]})
    if not wanted:
        return f"{names}: a model ends in .onnx, .xml or .pt"
    return f"there is {names}, but " + " and ".join(_install(engine) for engine in wanted)


def _install(engine: str) -> str:
    if find_spec(_LIBRARY[engine]):
        return f"{engine} does not read it"
    command = f"uv pip install {_LIBRARY[engine]}"
    if engine == "ultralytics":
        command = "./taskw yolo"
    return f"{engine} is not installed (install it with: {command})"
