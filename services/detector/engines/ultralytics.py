"""Ultralytics' own engine: .pt files, on a CPU or a GPU. AGPL-3.0; optional, loaded when chosen.

It opens no connection: no update check, no telemetry, no download, no package installation. Files
are loaded as weights only, so that a prepared .pt can't run code.
"""

from __future__ import annotations

import os
import pickle
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from services.detector.engines.engine import (
    DetectionResult,
    EngineFailed,
    EngineUnavailable,
    Parallelism,
    Thresholds,
)
from services.detector.model_file import ModelFile
from shared.events import Detection
from shared.picture.decode import Pixels

INSTALL = "./taskw yolo"

# What reading a file that is no model, or one with foreign classes, has been seen to raise.
_ERRORS = (
    pickle.UnpicklingError, ImportError, OSError, EOFError, RuntimeError, ValueError, TypeError,
    KeyError, AttributeError, IndexError, AssertionError,
)  # fmt: skip


class UltralyticsEngine:
    """One model per thread, because a model is not for two threads at a time."""

    name = "ultralytics"

    def __init__(
        self,
        file: ModelFile,
        thresholds: Thresholds,
        parallelism: Parallelism,
        device: str,
        folder: Path,
    ) -> None:
        self._library = _import(folder)
        self._file = file
        self._thresholds = thresholds
        self._device = device or None
        self._own = threading.local()
        model = self._model()
        self._limit_threads(parallelism)
        self.size = (file.size, file.size)
        self.model = file.name
        self.model_sha256 = file.sha256
        self.labels = tuple(model.names[key] for key in sorted(model.names))
        self.detail = f"ultralytics {self._library.__version__} on {device or 'its choice'}"

    def detect(self, pixels: Pixels) -> DetectionResult:
        start = time.perf_counter()
        try:
            result = self._model().predict(
                pixels,
                conf=self._thresholds.confidence,
                iou=self._thresholds.iou,
                max_det=self._thresholds.max_detections,
                imgsz=self._file.size,
                device=self._device,
                verbose=False,
            )[0]
        except RuntimeError as error:  # torch's own, out of memory included
            raise EngineFailed(f"ultralytics: {error}") from error
        spent = 1e3 * (time.perf_counter() - start)
        before, infer = result.speed["preprocess"], result.speed["inference"]
        return DetectionResult(
            _detections(result),
            {"letterbox": before, "infer": infer, "nms": max(0.0, spent - before - infer)},
        )

    def _model(self) -> Any:
        model = getattr(self._own, "model", None)
        if model is None:
            try:
                model = self._own.model = self._library.YOLO(str(self._file.path), task="detect")
            except _ERRORS as error:
                raise EngineUnavailable(
                    f"ultralytics can't load {self._file.path}: {error}"
                ) from error
        return model

    def _limit_threads(self, parallelism: Parallelism) -> None:
        import torch

        if not torch.cuda.is_available() or self._device == "cpu":
            torch.set_num_threads(max(1, parallelism.cores // parallelism.streams))


def export_onnx(weights: Path, folder: Path) -> Path:
    """Write an .onnx beside a .pt file, its input free to take any shape; returns its path."""
    library = _import(folder)
    try:
        model = library.YOLO(str(weights), task="detect")
        # Not simplified: that needs more packages, and the engines do it themselves.
        return Path(model.export(format="onnx", dynamic=True, simplify=False, verbose=False))
    except _ERRORS as error:
        raise EngineUnavailable(f"ultralytics can't export {weights}: {error}") from error


def _import(folder: Path) -> ModuleType:
    """The library, told beforehand to stay off the network and out of the home folder."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        ULTRALYTICS_SAFE_LOAD="1",
        YOLO_OFFLINE="true",
        YOLO_AUTOINSTALL="false",
        YOLO_CONFIG_DIR=str(folder),
        YOLO_VERBOSE="false",
    )
    try:
        import ultralytics
    except ImportError as error:
        raise EngineUnavailable(
            f"ultralytics is not installed here ({error}); install it with: {INSTALL}"
        ) from error
    ultralytics.settings.update({"sync": False})
    library: ModuleType = ultralytics
    return library


def _detections(result: Any) -> tuple[Detection, ...]:
    boxes = result.boxes
    return tuple(
        Detection(
            label=result.names[int(kind)],
            confidence=round(min(1.0, float(sure)), 4),
            box=tuple(round(min(1.0, max(0.0, float(side))), 5) for side in box),
        )
        for kind, sure, box in zip(
            boxes.cls.tolist(), boxes.conf.tolist(), boxes.xyxyn.tolist(), strict=True
        )
    )
