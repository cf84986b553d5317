"""``--check`` of real programs, and what they doubt when they start."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.support.system import ROOT, System


def test_the_doubt_is_in_the_log_as_well(tmp_path: Path):
    system = System(tmp_path, {"cameras": {"attic": {"place": "Attic"}}})
    with closing(system):
        system.start("ftp")
        assert "cameras.attic: has no door" in system.log("ftp")


def test_all_services_together_check_what_each_would_refuse(tmp_path: Path):
    config = tmp_path / "snapbus.yml"
    config.write_text("cameras: {porch: {ftp: {}}}")
    command = [sys.executable, "-m", "services.allinone", "--check"]
    fine = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    command += ["--config", str(config)]
    bad = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (fine.returncode, fine.stderr) == (0, "")
    assert fine.stdout == "config/snapbus.yml is fine: no cameras yet\n"
    assert bad.returncode == 2
    assert "cameras.porch.ftp.password: is missing" in bad.stderr
