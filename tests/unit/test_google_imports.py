"""The packages that bring their own OpenSSL can be imported beside each other."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.promise("feat F1")
def test_pydrive2_and_pyftpdlib_can_be_imported_in_one_process() -> None:
    program = "import pydrive2, pydrive2.drive, pydrive2.auth, pyftpdlib.handlers"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
