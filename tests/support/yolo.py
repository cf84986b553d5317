"""Finds a Python that has ultralytics, for the tests that compare with it."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def yolo_python() -> Path | None:
    """This Python, the one SNAPBUS_YOLO_PYTHON names, or the project's own; None without any."""
    if find_spec("ultralytics"):
        return Path(sys.executable)
    named = os.environ.get("SNAPBUS_YOLO_PYTHON")
    for python in [Path(named)] if named else [ROOT / ".tools/yolo/bin/python"]:
        if python.is_file():
            return python
    return None


def environment(python: Path) -> dict[str, str]:
    """For that Python to find the project, and in this one's packages what it lacks itself."""
    import numpy

    packages = str(Path(numpy.__file__).parents[1])
    path = [str(ROOT), *([] if python == Path(sys.executable) else [packages])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def run(python: Path, *arguments: str) -> str:
    """Run this in that Python and return what it printed."""
    done = subprocess.run(
        [python, *arguments],
        cwd=ROOT,
        env=environment(python),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
