"""Each contract of pyproject.toml notices an import that it forbids."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.repo.tree import ROOT, read

OPTIONS = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]
CONTRACTS = [each["name"] for each in OPTIONS["contracts"]]
ABOVE, APART, MACHINERY, ONE_WAY, TRUTH, TRANSPORT = CONTRACTS
# A file, an import that it must not have, and the contract that says so.
PLANTED = [
    ("shared/text.py", "import services.drive.file", ABOVE),
    ("services/drive/file.py", "import services.ftp.login", APART),
    ("services/ftp/app.py", "from shared.bus.thread import Bus", MACHINERY),
    ("services/api/app.py", "from shared.runtime import health", MACHINERY),
    ("services/allinone/app.py", "import shared.admin.doctor", MACHINERY),
    ("shared/errors.py", "from shared import log", ONE_WAY),
    ("shared/store/store.py", "from shared.journal import Journal", ONE_WAY),
    ("shared/journal/journal.py", "import shared.bus.thread", TRUTH),
    ("shared/bus/thread.py", "import shared.journal.journal", TRANSPORT),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code and of its contracts."""
    folder = tmp_path_factory.mktemp("tree")
    for path in [*(ROOT / "shared").rglob("*.py"), *(ROOT / "services").rglob("*.py")]:
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def _broken(folder: Path) -> list[str]:
    """The contracts that import-linter calls broken; it fails if there are any."""
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    broken = re.findall(r"^(.+) BROKEN", done.stdout, re.MULTILINE)
    assert done.returncode == bool(broken), done.stdout + done.stderr
    return [name.partition(" (")[0] for name in broken]


def test_the_tree_as_it_is_breaks_no_contract(tree: Path) -> None:
    assert _broken(tree) == []


@pytest.mark.parametrize(("file", "line", "contract"), PLANTED)
def test_a_forbidden_import_is_noticed(tree: Path, file: str, line: str, contract: str) -> None:
    path = tree / file
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{line}\n{before}", encoding="utf-8")
    try:
        assert contract in _broken(tree)
    finally:
        path.write_text(before, encoding="utf-8")


def test_each_contract_has_an_import_that_breaks_it() -> None:
    assert {contract for *_, contract in PLANTED} == set(CONTRACTS)
