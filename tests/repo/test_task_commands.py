"""What each task of Taskfile.yml runs, with stand-ins that write down how they are called."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repo.tree import ROOT

PYTHON, UV = ".venv/bin/python", ".tools/bin/uv"
RECORDER = '#!/bin/sh\nprintf "%s %s\\n" "{name}" "$*" >>"{calls}"\n'
TASKS = {
    "demo": [f"{PYTHON} -m services.allinone --demo"],
    "local": [f"{PYTHON} -m services.allinone"],
    "build": [
        "docker build --file Dockerfile.base --tag snapbus-base .",
        "docker compose --profile demo --profile legacy build",
    ],
    "run": ["docker compose up"],
    "rund": ["docker compose up --detach --wait"],
    "stop": ["docker compose --profile demo --profile legacy down"],
    "logs": ["docker compose --profile demo --profile legacy logs --follow --tail 100"],
    "push": ["docker compose --profile demo --profile legacy push"],
    "check": [
        f"{PYTHON} -m ruff format --check .",
        f"{PYTHON} -m ruff check .",
        f"{PYTHON} -m mypy shared services tests",
        "lint-imports --no-logo",
        f"{PYTHON} -m shared.admin.reference --check",
    ],
    "work": [f"{PYTHON} -m shared.admin.dead_letters list"],
    "replay": [f"{PYTHON} -m shared.admin.dead_letters replay"],
    "doctor": [f"{PYTHON} -m shared.admin.doctor"],
    "archive:verify": [f"{PYTHON} -m services.drive verify"],
    "archive:restore": [f"{PYTHON} -m services.drive restore"],
    "user": [f"{PYTHON} -m shared.admin.access user"],
    "key": [f"{PYTHON} -m shared.admin.access key"],
    "bench": [f"{PYTHON} -m tests.bench"],
    "fuzz": [f"{PYTHON} -m tests.fuzz --minutes 10"],
}


def stand_in(path: Path, name: str, calls: Path) -> None:
    """A program that only writes down that it was called."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(RECORDER.format(name=name, calls=calls))
    path.chmod(0o755)


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """A copy of what tasks read, with stand-ins for all that they start; where those write."""
    for name in ("Taskfile.yml", "tasks", ".env.example", "requirements", "shared", "tests"):
        source, copy = ROOT / name, tmp_path / name
        if name in ("shared", "tests"):
            copy.symlink_to(source)
        elif source.is_dir():
            shutil.copytree(source, copy)
        else:
            shutil.copy(source, copy)
    (tmp_path / "services").symlink_to(ROOT / "services")
    calls = tmp_path / "calls"
    stand_in(tmp_path / PYTHON, PYTHON, calls)
    stand_in(tmp_path / UV, UV, calls)
    (tmp_path / ".tools/bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / ".tools/bin/python").chmod(0o755)
    stand_in(tmp_path / "taskw", "taskw", calls)
    stand_in(tmp_path / ".venv/bin/lint-imports", "lint-imports", calls)
    for name in ("docker", "chown"):
        stand_in(tmp_path / "bin" / name, name, calls)
    return calls


def run(calls: Path, *task: str, **env: str) -> list[str]:
    """What a task called, without what only asks or prepares."""
    program = ROOT / ".tools/bin/task"
    found = program if program.exists() else shutil.which("task")
    assert found, "./taskw brings task along"
    folder = calls.parent
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        [found, *task],
        cwd=folder,
        env=os.environ | {"PATH": path} | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    prepares = (
        f"{UV} ",
        "chown",
        "taskw",
        "docker compose version",
        "docker info",
    )
    asks = ("docker image inspect", "docker compose ps")
    return [each.strip() for each in calls.read_text().splitlines()
            if not each.startswith((*prepares, *asks))]  # fmt: skip


@pytest.mark.promise("feat K3", "feat K16")
@pytest.mark.parametrize("name", TASKS)
def test_a_task_runs_what_it_says(calls: Path, name: str) -> None:
    assert run(calls, name, SNAPBUS_REGISTRY="registry.example.org/") == TASKS[name]


@pytest.mark.promise("feat K5")
@pytest.mark.promise("feat K3")
def test_configure_and_datadir_prepare_what_containers_need(calls: Path) -> None:
    calls.touch()
    assert run(calls, "configure") == run(calls, "datadir") == []

    folder = calls.parent
    assert (folder / ".env").read_text().startswith((ROOT / ".env.example").read_text())
    assert (folder / "secrets/journal_url").read_text().startswith("postgresql://snapbus:")
    assert (folder / "data").is_dir() and (folder / "models").is_dir()
    assert f"chown 999:999 {folder}/data" in calls.read_text() or "chown 999:999 ./data" in (
        calls.read_text()
    )


@pytest.mark.promise("find D10")
def test_datadir_takes_its_own_variables_of_an_older_env_and_runs_none_of_it(calls: Path) -> None:
    calls.touch()
    lines = ("OUTPUT_1_LOCATION=Front Door", "FTP_PASS=a&b", "SNAPBUS_DATA='my data'", "PATH=/none")
    (calls.parent / ".env").write_text("\n".join(lines))

    assert run(calls, "datadir") == []

    assert (calls.parent / "my data").is_dir() and (calls.parent / "models").is_dir()


@pytest.mark.promise("feat K3")
def test_python_and_lock_install_and_pin_by_hash(calls: Path) -> None:
    run(calls, "python", "--force")
    run(calls, "lock")

    told = calls.read_text()
    assert f"{UV} pip install --quiet --python {PYTHON} " in told
    assert " --require-hashes -r requirements/dev.txt" in told
    for service in ("ftp", "allinone"):
        assert f"-c requirements/dev.txt -o services/{service}/requirements.txt" in told
    assert told.count("--generate-hashes") > 8


def test_what_follows_two_dashes_is_passed_on(calls: Path) -> None:
    assert run(calls, "logs", "--", "ftp") == [f"{TASKS['logs'][0]} ftp"]


def test_the_demo_profile_starts_simulated_cameras_as_well(calls: Path) -> None:
    assert run(calls, "rund", "PROFILE=demo") == [
        "docker compose --profile demo up --detach --wait"
    ]
