"""Row 12: memory, start and size of the detector, against ultralytics itself.

Each contender is a process of its own, as in production, with one stream; those with several are
for comparison. Needs what ``detector`` needs.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from services.detector.engines.engine import cores
from tests.bench.detector import Worker, export, make_frame
from tests.bench.results import Row
from tests.support.yolo import run as run_in
from tests.support.yolo import yolo_python

WARM = 3
"""Rounds of pictures before memory is looked at."""
STARTS = 7


def run() -> Iterator[Row]:
    data, python = os.environ.get("SNAPBUS_TEST_DATA"), yolo_python()
    if not data or not python:
        why = "SNAPBUS_TEST_DATA is not set" if not data else "no ultralytics: run `task yolo`"
        yield Row(12, "memory, start and size of the detector", None, detail=why)
        return
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, weights = Path(name), Path(data) / "weights" / "yolov8n.pt"
        frame = make_frame(folder)
        export(folder, weights, python)

        def start(python: Path, *arguments: object) -> Worker:
            engine, model, *how = map(str, arguments)
            worker = Worker(python, engine, model, str(frame), *how)
            stack.callback(worker.close)
            return worker

        ours, network = Path(sys.executable), folder / "yolov8n.onnx"
        baseline = start(python, "baseline", weights, "", 1)
        contenders = {
            "openvino": start(ours, "openvino", network.with_suffix(".xml"), "auto", 1),
            "onnx": start(ours, "onnx", network, "f32", 1),
        }
        several = {
            "openvino": start(ours, "openvino", network.with_suffix(".xml"), "auto", cores()),
            "onnx": start(ours, "onnx", network, "f32", cores()),
        }
        yield from _memory(baseline, contenders, several)
        yield from _starts(baseline, contenders)
    yield from _sizes(python)


def _memory(
    baseline: Worker, contenders: Mapping[str, Worker], several: Mapping[str, Worker]
) -> Iterator[Row]:
    for worker in (baseline, *contenders.values(), *several.values()):
        for _ in range(WARM):
            worker()
    for name, worker in contenders.items():
        yield Row(
            12, f"memory of the worker, {name}", worker.rss / baseline.rss, 0.5, 0.6, "less",
            f"{worker.rss:.0f} MiB, ultralytics {baseline.rss:.0f} MiB",
        )  # fmt: skip
    for name, worker in several.items():
        yield Row(
            12, f"the same with {cores()} streams, {name}", worker.rss / baseline.rss,
            better="less", detail=f"{worker.rss:.0f} MiB",
        )  # fmt: skip


def _starts(baseline: Worker, contenders: Mapping[str, Worker]) -> Iterator[Row]:
    """Of several starts in turn: one says little on a machine that does other work."""
    rounds = [
        [worker.start_again() for worker in (baseline, *contenders.values())] for _ in range(STARTS)
    ]
    theirs, *others = zip(*rounds, strict=True)
    for name, mine in zip(contenders, others, strict=True):
        pairs = list(zip(mine, theirs, strict=True))
        detail = (
            f"{statistics.median(each.ready_s for each in mine):.2f} s, "
            f"ultralytics {statistics.median(each.ready_s for each in theirs):.2f} s"
        )
        ratio = statistics.median(one.ready_s / other.ready_s for one, other in pairs)
        yield Row(12, f"time to the first picture, {name}", ratio, 0.35, 0.5, "less", detail)
        ratio = statistics.median(one.spent_s / other.spent_s for one, other in pairs)
        spent_s = statistics.median(each.spent_s for each in mine)
        yield Row(12, f"the same in seconds of processor, {name}", ratio, detail=f"{spent_s:.2f} s")


def _sizes(python: Path) -> Iterator[Row]:
    theirs = _installed(python, ["ultralytics", "torch", "torchvision"])
    common = ["numpy", "simplejpeg", "pillow", "kornia-rs", "pydantic"]
    for library in ("openvino", "onnxruntime"):
        mine = _installed(Path(sys.executable), [library, *common])
        yield Row(
            12, f"installed size, {library}", mine / theirs, 0.3, 0.4, "less",
            f"{mine:.0f} MB, ultralytics {theirs:.0f} MB",
        )  # fmt: skip


SIZE_OF = """
import sys, importlib.metadata as m
from packaging.requirements import Requirement
seen, todo, total = set(), sys.argv[1:], 0
while todo:
    name = todo.pop().lower().replace("_", "-")
    if name in seen: continue
    seen.add(name)
    try: dist = m.distribution(name)
    except m.PackageNotFoundError: continue
    total += sum(f.size or 0 for f in dist.files or () if f.suffix != ".pyc")
    for text in dist.requires or ():
        need = Requirement(text)
        if need.marker is None or need.marker.evaluate({"extra": ""}): todo.append(need.name)
print(total / 1e6)
"""


def _installed(python: Path, names: Sequence[str]) -> float:
    """Megabytes of these distributions and all they need, as far as they are installed."""
    return float(run_in(python, "-c", SIZE_OF, *names))
