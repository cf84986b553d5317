"""The commands that the documents name exist, and say what they do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.repo.tree import ROOT, read, tasks

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMED = re.compile(r"(?:^|[`$(]\s?)(?:\./taskw|task) ([a-z][a-z0-9:]*)", re.MULTILINE)
PROMISED = (
    "demo local test build run rund stop logs configure datadir python push check fix lock model"
    " doctor work replay user key bench chaos fuzz prove promises"
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_task_that_a_document_names_exists(document: Path) -> None:
    named = set(NAMED.findall(document.read_text(encoding="utf-8")))

    assert named - set(tasks()) == set()


@pytest.mark.promise("feat K3")
def test_the_tasks_that_we_promise_exist_and_say_in_one_line_what_they_do() -> None:
    for name in PROMISED.split():
        assert 10 < len(tasks()[name]["desc"]) <= 90, name


@pytest.mark.parametrize(
    "script",
    ["taskw", ".ci/run", *sorted(each for each in (ROOT / "tasks").iterdir() if not each.suffix)],
)
def test_scripts_are_plain_shell_and_can_be_run(script: str | Path) -> None:
    path = ROOT / script

    assert path.read_text(encoding="utf-8").startswith("#!/bin/sh\n")
    assert path.stat().st_mode & 0o111
    assert subprocess.run(["sh", "-n", path], check=False).returncode == 0


def test_continuous_integration_calls_the_tasks_and_nothing_else() -> None:
    calls = [line for line in read(".ci/run").splitlines() if line.startswith(("./", "exec"))]

    assert calls == ["./taskw check", "exec ./taskw test"]
