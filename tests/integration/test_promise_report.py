"""The report of promises, of tests that run in another process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.system import ROOT


def test_the_report_knows_of_tests_that_workers_run(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "from tests.support import promises\n"
        "pytest_addoption, pytest_configure = promises.add_option, promises.watch\n"
    )
    (tmp_path / "test_it.py").write_text(
        "import pytest\n@pytest.mark.promise('inv I1')\ndef test_it(): pass\n"
        "@pytest.mark.promise('inv I2')\ndef test_other(): pytest.skip('no')\n"
    )
    command = [sys.executable, "-m", "pytest", "-n1", "--promises", "-c", f"{ROOT}/pyproject.toml"]
    # Who runs these tests may have plugins and options of their own, which are not meant here.
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [*command, f"--rootdir={tmp_path}", str(tmp_path)],
        cwd=tmp_path,
        env={**bare, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert "\nkept       inv I1       1 tests\n" in done.stdout, done.stdout + done.stderr
    assert "\nskipped    inv I2       1 tests\n" in done.stdout
    assert done.returncode == 1
