"""Row 1: pictures a second, against ultralytics itself.

Each contender is a process of its own, as in production; they take turns. Needs the weights of
SNAPBUS_TEST_DATA, and a Python with ultralytics (`task yolo`) for the baseline.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image

from services.detector.engines.engine import cores
from services.detector.model import prepare
from tests.bench.camera_pictures import full_hd
from tests.bench.results import Row, ratios
from tests.data.full_model import full_model
from tests.support.yolo import ROOT, environment, yolo_python
from tests.support.yolo import run as run_in

PICTURES = 24
ROUNDS = 7
OURS = {"OPENBLAS_NUM_THREADS": "1"}
"""As in Dockerfile.base and Taskfile.yml."""
BFLOAT = {"avx512_bf16", "amx_bf16"}


class Worker:
    """A running detector_worker."""

    def __init__(self, python: Path, *arguments: str) -> None:
        self._python, self._arguments = python, arguments
        self._process = subprocess.Popen(
            [python, "-m", "tests.bench.detector_worker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(python) | (OURS if arguments[0] != "baseline" else {}),
        )
        self.ready_s, self.spent_s = map(float, self._answer().split()[1:])

    @property
    def rss(self) -> float:
        """Mebibytes held now."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text("ascii").split()[1])
        return pages * 4096 / 2**20

    def __call__(self) -> float:
        """Seconds per picture."""
        assert self._process.stdin
        self._process.stdin.write(f"{PICTURES}\n")
        self._process.stdin.flush()
        return float(self._answer()) / PICTURES

    def start_again(self) -> Worker:
        """Another one like this, which has ended; for its times."""
        other = Worker(self._python, *self._arguments)
        other.close()
        return other

    def _answer(self) -> str:
        assert self._process.stdout
        while line := self._process.stdout.readline():
            if line.startswith("ready ") or line[0].isdigit():
                return line
        raise RuntimeError("the worker ended; its error is above")

    def close(self) -> None:
        self._process.communicate()


def run() -> Iterator[Row]:
    data, python = os.environ.get("SNAPBUS_TEST_DATA"), yolo_python()
    if not data or not python:
        why = "SNAPBUS_TEST_DATA is not set" if not data else "no ultralytics: run `task yolo`"
        yield Row(1, "detector, pictures a second", None, detail=why)
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        yield from _measure(Path(folder), Path(data) / "weights", python, stack)


def make_frame(folder: Path) -> Path:
    """A decoded picture of full HD, saved there."""
    frame = folder / "frame.npy"
    with Image.open(io.BytesIO(full_hd())) as image:
        np.save(frame, np.asarray(image.convert("RGB"))[:, :, ::-1])
    return frame


def export(folder: Path, weights: Path, python: Path) -> None:
    """Make every form of the model there."""
    command = "-m", "services.detector.model", "--consent", "--folder", str(folder)
    run_in(python, *command, "--model", str(weights))


def _measure(folder: Path, weights: Path, python: Path, stack: ExitStack) -> Iterator[Row]:
    frame, original = make_frame(folder), weights / "yolov8n.pt"
    export(folder, original, python)
    square = folder / "square"
    square.mkdir()
    (square / "yolov8n.onnx").write_bytes(full_model(weights / "yolov8n_int8.onnx"))
    prepare(folder, weights / "yolov8n_int8.onnx")

    def start(engine: str, model: Path, precision: str = "f32", streams: int = cores()) -> Worker:
        arguments = (engine, str(model), str(frame), precision, str(streams))
        worker = Worker(Path(sys.executable), *arguments)
        stack.callback(worker.close)
        return worker

    baseline = Worker(python, "baseline", str(original), str(frame), "", "1")
    stack.callback(baseline.close)
    network, compiled = folder / "yolov8n.onnx", folder / "yolov8n.xml"
    contenders = {
        "openvino, precision: auto": start("openvino", compiled, "auto"),
        "openvino f32": start("openvino", compiled),
        "onnx f32": start("onnx", network),
        "openvino auto, one at a time": start("openvino", compiled, "auto", 1),
        "openvino auto, square network": start("openvino", square / "yolov8n.onnx", "auto"),
        "onnx f32, one at a time": start("onnx", network, "f32", 1),
        "onnx int8, square network": start("onnx", folder / "yolov8n_int8.onnx"),
    }
    results = ratios(baseline, *contenders.values(), rounds=ROUNDS)
    yield from _speeds(dict(zip(contenders, results, strict=True)))


def _speeds(results: dict[str, tuple[float, float, float]]) -> Iterator[Row]:
    halves = BFLOAT & set(Path("/proc/cpuinfo").read_text("utf-8").split())
    goals = {
        "openvino, precision: auto": (2.1, 1.8) if halves else (1.25, 1.1),
        "openvino f32": (1.25, 1.1),
        "onnx f32": (1.25, 1.1),
    }
    for name, (ratio, base, ours) in results.items():
        target, gate = goals.get(name, (None, None))
        detail = f"{1 / ours:.1f}/s, ultralytics {1 / base:.1f}/s"
        yield Row(1, f"detector, 1080p frame, {name}", ratio, target, gate, detail=detail)
