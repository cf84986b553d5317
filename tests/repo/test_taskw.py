"""What ./taskw answers by itself, before it installs or runs anything."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.repo.tree import ROOT, tasks


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout of nothing but what taskw reads: it would fail if it had to install."""
    for name in ("taskw", "Taskfile.yml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def said(folder: Path, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        ["./taskw", *words], cwd=folder, capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.promise("find T2")
@pytest.mark.parametrize("words", [(), ("list",), ("help",), ("--help",), ("-h",)])
def test_it_lists_every_task_with_its_description(bare: Path, words: tuple[str, ...]) -> None:
    status, out, err = said(bare, *words)
    assert (status, err) == (0, "")
    described = {name: task["desc"] for name, task in tasks().items() if "desc" in task}
    for name, description in described.items():
        assert f"  {name:<11} {description}\n" in out
    assert "In one process, without Docker.\n  demo " in out
    assert "Steps of the tasks above" not in out


@pytest.mark.promise("find T2")
@pytest.mark.parametrize("words", [("lits",), ("check", "lits"), ("NAME=x", "lits"), ("t.st",)])
def test_a_word_that_is_no_task_is_answered_with_those_that_there_are(
    bare: Path, words: tuple[str, ...]
) -> None:
    status, out, err = said(bare, *words)
    assert (status, out) == (2, "")
    assert err.startswith(f"snapbus: there is no task '{words[-1]}'. These there are:\n")
    assert "  local       Run everything" in err
    assert "Did you mean" not in err


@pytest.fixture
def installed(bare: Path) -> Path:
    """A checkout whose programs only say how they are called."""
    (bare / "requirements").mkdir()
    (bare / "requirements/tools.txt").touch()
    for program in (".tools/bin/task", ".venv/bin/python"):
        path = bare / program
        path.parent.mkdir(parents=True)
        path.write_text(f'#!/bin/sh\necho "{path.name} $*"\n')
        path.chmod(0o755)
    (bare / ".tools/pins.txt").touch()
    return bare


def test_each_task_and_what_follows_it_is_handed_on(installed: Path) -> None:
    for name in tasks():
        if name not in ("demo", "local"):
            words = (name, "NAME=x", "--", "--all", "lits")
            assert said(installed, *words) == (0, f"task {' '.join(words)}\n", "")


@pytest.mark.promise("feat K16")
@pytest.mark.parametrize(("task", "option"), [("local", ""), ("demo", " --demo")])
def test_what_runs_here_takes_the_place_of_the_script_and_needs_no_container(
    installed: Path, task: str, option: str
) -> None:
    for words in (["--config", "x"], ["--", "--config", "x"]):
        status, out, err = said(installed, task, *words)
        runs = f"task packages\npython -m services.allinone{option} --config x\n"
        assert (status, out, err) == (0, runs, "")
