"""From an FTP upload to its published detection: rows 2 to 5 of the table of targets.

    2  snapshots a second, beside the naive design of tests/bench/naive.py
    3  the same, beside decode and detector alone in one process
    4  what the way adds to the bare detector at 5 pictures a second, p50, beside the sum of what no
       design avoids: a bare FTP upload and two confirmed hops through a quorum queue
    5  the same, p98

Real processes, RabbitMQ, and a PostgreSQL that syncs. Row 2 needs SNAPBUS_TEST_DATA and a Python
with ultralytics (`task yolo`).
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from services.detector.model import prepare
from tests.bench.cost import processor_s, session_s, spent, told
from tests.bench.naive_processes import Naive, NaiveHeard
from tests.bench.results import Row
from tests.bench.traffic import (
    Heard,
    alone,
    bare_detector,
    bare_ftp,
    hop,
    paced,
    picture,
    quantile,
    saturate,
    through,
    timed,
    upload,
)
from tests.support.postgres import PostgresServer
from tests.support.rabbit import RabbitServer
from tests.support.system import System
from tests.support.yolo import run as run_in
from tests.support.yolo import yolo_python


@dataclass(slots=True)
class Options:
    """What is measured; ``weights`` and ``python`` are the naive design's."""

    folder: Path
    stack: ExitStack
    model: Path = Path("services/simulator/figures.onnx")
    weights: Path | None = None
    python: Path = Path(sys.executable)
    rounds: int = 5
    count: int = 200
    paced: int = 60


@dataclass(slots=True)
class Figures:
    """What was measured, round by round. Rates per second, times in ms."""

    ours: list[float] = field(default_factory=list)
    naive: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    added_p50: list[float] = field(default_factory=list)
    added_p98: list[float] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    spent: list[dict[str, float]] = field(default_factory=list)
    times: dict[str, list[float]] = field(default_factory=dict)

    def add_latency(self) -> None:
        """What the times of one round say."""
        middle = {name: statistics.median(times) for name, times in self.times.items()}
        self.added_p50.append(middle["through"] - middle["bare"])
        self.added_p98.append(quantile(self.times["through"], 0.98) - middle["bare"])
        self.least.append(middle["upload"] + 2 * middle["hop"])

    def clear(self) -> None:
        """Forget what was measured."""
        for rounds in (
            self.ours, self.naive, self.alone, self.spent,
            self.added_p50, self.added_p98, self.least,
        ):  # fmt: skip
            rounds.clear()


def measure(options: Options) -> Figures:
    """All rounds, the contenders in turn."""
    figures = Figures()
    pictures = [picture(seed) for seed in range(8)]
    folder = options.folder
    with closing(RabbitServer()) as rabbit:
        rabbit.start()
        with closing(PostgresServer(durable=True)) as postgres:
            postgres.start()
            url = rabbit.url(rabbit.add_vhost())
            tree = {
                "journal": {"url": postgres.url(postgres.add_database())},
                "broker": {"url": url},
                "detector": {"engine": "auto", "model": str(options.model.absolute())},
                "cameras": {"porch": {"ftp": {"password": "porch-pw"}}},
                "intake": {"reserve_fraction": 0.0},
                "log": {"level": "warning", "format": "json"},
            }
            with closing(System(folder, tree)) as system:
                system.start("ftp", "detector")

                def cost() -> dict[str, float]:
                    own = {name: processor_s(system.pid(name)) for name in system.running()}
                    servers = {"postgresql": postgres.leader, "rabbitmq": rabbit.leader}
                    return own | {name: session_s(pid) for name, pid in servers.items()}

                _rounds(options, figures, system, url, pictures, cost)
    return figures


def _rounds(
    options: Options,
    figures: Figures,
    system: System,
    url: str,
    pictures: list[bytes],
    cost: Callable[[], dict[str, float]],
) -> None:
    many = [pictures[number % len(pictures)] for number in range(options.count)]
    detect = bare_detector(system.settings.detector, options.folder)
    heard = Heard(url, "snapbus", "snapshot.analyzed.#")
    weights = options.weights
    naive_port, naive_heard = _start_naive(options, url, weights) if weights else (0, heard)
    one_hop = hop(url)
    with bare_ftp(options.folder) as bare:
        for number in range(options.rounds + 1):
            label = f"r{number}-"
            before = cost()
            figures.ours.append(saturate(system.ftp_port, heard, many, label))
            figures.spent.append(spent(before, cost(), len(many)))
            figures.alone.append(alone(detect, many, os.cpu_count() or 1))
            if weights:
                figures.naive.append(saturate(naive_port, naive_heard, many, label))
            for name, act in (
                ("through", lambda data, name: through(system.ftp_port, heard, name, data)),
                ("bare", lambda data, _name: timed(lambda: detect(data))),
                ("upload", lambda data, name: timed(lambda: upload(bare, name, data))),
                ("hop", lambda _data, _name: one_hop()),
            ):
                figures.times[name] = paced(act, pictures, options.paced, label)
            figures.add_latency()
            if number == 0:
                figures.clear()  # it warmed up caches and models


def _start_naive(options: Options, url: str, weights: Path) -> tuple[int, Heard]:
    started = Naive(options.folder / "naive", url, weights, options.python)
    options.stack.callback(started.close)
    return started.port, NaiveHeard(started, url)


def run() -> Iterator[Row]:
    """Rows 2 to 5. With ultralytics and its weights the network is YOLOv8n, as exported by the
    product; without them it is the demo's, and row 2 is not measured."""
    data, python = os.environ.get("SNAPBUS_TEST_DATA"), yolo_python()
    with tempfile.TemporaryDirectory(prefix="bench-pipeline-") as name, ExitStack() as stack:
        options = Options(Path(name), stack)
        if data and python:
            options.weights, options.python = Path(data) / "weights" / "yolov8n.pt", python
            options.model = export(options.folder, options.weights, python)
        yield from rows(measure(options))


def export(folder: Path, weights: Path, python: Path) -> Path:
    """The network of these weights, as the product makes it."""
    words = ("--consent", "--folder", str(folder), "--model", str(weights))
    run_in(python, "-m", "services.detector.model", *words)
    prepare(folder, folder / "yolov8n.onnx")
    return next(folder.glob("yolov8n.xml"), folder / "yolov8n.onnx")


def rows(figures: Figures) -> Iterator[Row]:
    """Each the median of the rounds' ratios."""
    middle = statistics.median
    rate = "{:.1f} and {:.1f} /s".format
    if figures.naive:
        detail = rate(middle(figures.ours), middle(figures.naive))
        ratio = _ratio(figures.ours, figures.naive)
        yield Row(2, "FTP to detection /s beside naive", ratio, 2.8, 2.2, detail=detail)
    else:
        yield Row(2, "FTP to detection /s beside naive", None, detail="no ultralytics: `task yolo`")
    costs = {name: middle(each[name] for each in figures.spent) for name in figures.spent[0]}
    detail = rate(middle(figures.ours), middle(figures.alone))
    detail += f"; processor ms a picture: {told(costs)}"
    ratio = _ratio(figures.ours, figures.alone)
    yield Row(3, "the same beside decode + detector alone", ratio, 0.85, 0.75, detail=detail)
    for number, name, added, target, gate in (
        (4, "added latency p50 beside upload + 2 hops", figures.added_p50, 2.0, 2.5),
        (5, "added latency p98 beside upload + 2 hops", figures.added_p98, 4.0, 8.0),
    ):
        detail = f"{middle(added):.1f} and {middle(figures.least):.1f} ms"
        yield Row(number, name, _ratio(added, figures.least), target, gate, "less", detail)


def _ratio(ours: list[float], baseline: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(ours, baseline, strict=True))
