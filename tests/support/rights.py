"""What only root may do, and not in most containers: mount, and have a network of one's own."""

from __future__ import annotations

import os
import subprocess
from functools import cache

import pytest


@cache
def has_rights() -> bool:
    """Whether this process may mount and make namespaces."""
    if os.geteuid() != 0:
        return False
    command = ["unshare", "--mount", "--net", "mount", "-t", "tmpfs", "snapbus-tests", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def need_rights(what: str) -> None:
    """Skip the test without them; in CI they must be there."""
    if not has_rights():
        told = f"{what} needs root, and a machine where root may mount"
        if "CI" in os.environ:
            pytest.fail(told)
        pytest.skip(told)
