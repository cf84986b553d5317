"""From an FTP upload to its recorded detection in one process on SQLite: the second part of row 3.

The whole product runs, but files nothing: the disk of an archive is not what is measured.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.bench.cost import processor_s
from tests.bench.pipeline import export
from tests.bench.results import Row
from tests.bench.traffic import Analysed, alone, bare_detector, picture, saturate
from tests.support.system import System
from tests.support.yolo import yolo_python

TARGET, GATE = 0.90, 0.75


def measure(folder: Path, model: Path, *, rounds: int = 5, count: int = 200) -> Row:
    """The row, by so many rounds of so many pictures."""
    pictures = [picture(seed) for seed in range(8)]
    many = [pictures[number % len(pictures)] for number in range(count)]
    tree = {
        "detector": {"engine": "auto", "model": str(model.absolute())},
        "cameras": {"porch": {"ftp": {"password": "porch-pw"}}},
        "drive": {"enabled": False},
        "intake": {"reserve_fraction": 0.0},
        "log": {"level": "warning", "format": "json"},
    }
    ours: list[float] = []
    bare: list[float] = []
    spent: list[float] = []
    with closing(System(folder, tree)) as system:
        system.start("allinone")
        detect = bare_detector(system.settings.detector, folder)
        with closing(system.journal()) as journal:
            analysed = Analysed(journal)
            for number in range(rounds + 1):
                before = processor_s(system.pid("allinone"))
                ours.append(saturate(system.ftp_port, analysed, many, f"r{number}-"))
                spent.append(processor_s(system.pid("allinone")) - before)
                bare.append(alone(detect, many, os.cpu_count() or 1))
    ratio = statistics.median(a / b for a, b in zip(ours[1:], bare[1:], strict=True))
    rates = statistics.median(ours[1:]), statistics.median(bare[1:])
    cost = 1000 * statistics.median(spent[1:]) / count
    detail = f"{rates[0]:.1f} and {rates[1]:.1f} /s; processor ms a picture: {cost:.1f}"
    return Row(3, "one process on SQLite, beside the same", ratio, TARGET, GATE, detail=detail)


def run() -> Iterator[Row]:
    """The second part of row 3; the network is that of ``pipeline``."""
    data, python = os.environ.get("SNAPBUS_TEST_DATA"), yolo_python()
    with tempfile.TemporaryDirectory(prefix="bench-one-") as name:
        model = Path("services/simulator/figures.onnx")
        if data and python:
            model = export(Path(name), Path(data) / "weights" / "yolov8n.pt", python)
        yield measure(Path(name), model)
