"""Nothing leaves the machine unasked: a detector starts without a connection or a look-up.

An audit hook sees what Python tries, strace what native code tries; a library that keeps an id to
send it later leaves it in the home folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from services.detector.model_file import read_model_file, write_record
from shared.runtime import health
from tests.support.fakes import eventually
from tests.support.ports import free_ports
from tests.support.system import ROOT
from tests.support.yolo import environment, yolo_python

CALLS = "trace=connect,sendto,sendmsg,sendmmsg"
FIGURES = ROOT / "services/simulator/figures.onnx"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


def start(python: Path, home: Path, *command: str, **more: str) -> subprocess.Popen[str]:
    # Libraries ask less of the world when they think they are tested, or when it was set outside.
    silent = ("CI", "GITHUB_ACTIONS", "ORT_DISABLE_TELEMETRY", "PYTEST_CURRENT_TEST")
    env = {name: value for name, value in environment(python).items() if name not in silent}
    if not shutil.which("strace"):
        pytest.fail("strace is missing: ./taskw test:setup")
    calls = ("strace", "-D", "-f", "--seccomp-bpf", "-qq", "-e", CALLS, "-o", home.parent / "calls")
    return subprocess.Popen(
        [*calls, python, "-m", "tests.support.witness", home.parent / "tried", *command],
        cwd=ROOT,
        env={**env, "HOME": str(home), **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ready_detector(python: Path, home: Path, engine: str, model: Path) -> str:
    """Run the detector until it is ready, then stop it; returns its log."""
    (port,) = free_ports(1)
    config = home.parent / "snapbus.yml"
    detector = {"engine": engine, "model": str(model)}
    tree = {"data": str(home.parent / "data"), "detector": detector, "health": {"port": port}}
    config.write_text(yaml.safe_dump(tree))
    process = start(python, home, "services.detector", "--config", str(config))
    try:
        eventually(lambda: process.poll() is not None or not health.check(port), timeout=60)
    finally:
        process.terminate()
        log, _ = process.communicate(timeout=30)
    assert process.returncode == 0, log
    return log


def weights(folder: Path) -> Path:
    """Weights that somebody agreed to."""
    copy = folder / "yolov8n.pt"
    shutil.copy(Path(os.environ["SNAPBUS_TEST_DATA"]) / "weights/yolov8n.pt", copy)
    write_record(read_model_file(copy), origin="agreed to", recorded_at="2026-11-21T00:00:00+00:00")
    return copy


def assert_nothing_left(home: Path) -> None:
    assert (home.parent / "tried").read_text() == ""
    assert "AF_INET" not in (home.parent / "calls").read_text()
    assert [path.name for path in home.rglob("*")] == []


@pytest.mark.parametrize("engine", ["openvino", "onnx", "ultralytics"])
def test_a_detector_starts_without_asking_anybody(engine: str, home: Path) -> None:
    python, model = Path(sys.executable), FIGURES
    if engine == "ultralytics":
        if not (found := yolo_python()) or "SNAPBUS_TEST_DATA" not in os.environ:
            pytest.skip("needs `task yolo` and the weights of SNAPBUS_TEST_DATA")
        python, model = found, weights(home.parent)

    log = ready_detector(python, home, engine, model)

    assert f"on {engine}" in log or f'"engine":"{engine}"' in log.replace(" ", ""), log
    assert_nothing_left(home)


def test_preparing_a_model_asks_nobody(home: Path) -> None:
    command = ("services.detector.model", "--model", str(FIGURES), "--folder", str(home.parent))
    process = start(Path(sys.executable), home, *command)
    log, _ = process.communicate(timeout=60)

    assert process.returncode == 0, log
    assert (home.parent / "figures.xml").exists()
    assert_nothing_left(home)


def test_the_witness_sees_what_is_tried(home: Path) -> None:
    process = start(Path(sys.executable), home, "urllib.robotparser")  # any module without effect
    process.communicate(timeout=30)
    assert_nothing_left(home)

    process = start(Path(sys.executable), home, "http.server", "--bind", "no.such.host.example")
    process.communicate(timeout=30)
    assert "socket.getaddrinfo" in (home.parent / "tried").read_text()
    assert "AF_INET" in (home.parent / "calls").read_text()


@pytest.mark.parametrize("hushed", [True, False])
def test_what_openvino_would_tell_with_is_not_imported_where_it_is_installed(
    hushed: bool, tmp_path: Path
) -> None:
    (tmp_path / "openvino_telemetry.py").write_text("raise SystemExit('it was imported')")
    code = f"from services.detector.hush import hush; {'hush()' if hushed else ''}; import openvino"
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, capture_output=True
    )
    assert (done.returncode == 0) is hushed, done.stderr
