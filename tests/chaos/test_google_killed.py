"""A process that dies anywhere on the way of a picture to Google Drive: one file in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.simulator.google.account import OWNER, SimulatedGoogle
from shared.admin.reference import failpoints
from tests.support.google import simulated_google
from tests.support.google_archive import log_in
from tests.support.making import sqlite_journal

PICTURES = 3
OLD = datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp()
FEW = ("google.reserved", "google.sent")
MOVING = ("google.moving", "google.moved")
UPLOADING = [each for each in failpoints() if each.startswith("google.") and each not in MOVING]


def write(folder: Path, google: SimulatedGoogle, failpoint: str = "") -> int:
    """The exit status of a process that files."""
    command = [sys.executable, "-m", "tests.chaos.google_writer", str(folder), google.url]
    environ = {**os.environ, "FAILPOINT": failpoint}
    return subprocess.run([*command, str(PICTURES)], env=environ, timeout=60).returncode


@pytest.mark.promise("fault G1", "inv I9", "feat F6")
@pytest.mark.parametrize(
    ("point", "hit"),
    [
        pytest.param(point, hit, marks=() if point in FEW and hit == 2 else pytest.mark.prove)
        for point in UPLOADING
        for hit in (1, 2)
        if not (point == "google.trashed" and hit == 2)
    ],
)
def test_a_kill_at_each_point_leaves_one_file_of_each_picture(
    tmp_path: Path, point: str, hit: int
) -> None:
    sqlite_journal(tmp_path / "journal.db").close()
    with simulated_google() as google:
        log_in(google, tmp_path)
        if point == "google.trashed":  # reached where Drive keeps other bytes
            assert write(tmp_path, google) == 0
            _spoil(google)
        assert write(tmp_path, google, f"{point}:{hit}:kill") == -signal.SIGKILL
        assert write(tmp_path, google) == 0

        titles = [file.title for _, file in google.live()]
        assert len(titles) == len(set(titles)) == PICTURES
        folders = [file.title for file in google.tree.every() if file.is_folder and file.parent]
        assert sorted(folders) == ["11", "2026", "22", "Snapbus"]


@pytest.mark.promise("fault G5")
@pytest.mark.parametrize(
    ("point", "hit"),
    [
        pytest.param(
            point, hit, marks=() if (point, hit) == ("google.moved", 2) else pytest.mark.prove
        )
        for point in MOVING
        for hit in (1, 2)
    ],
)
def test_a_kill_at_each_step_of_the_archiver_leaves_each_file_in_one_folder(
    tmp_path: Path, point: str, hit: int
) -> None:
    sqlite_journal(tmp_path / "journal.db").close()
    with simulated_google() as google:
        log_in(google, tmp_path)
        assert write(tmp_path, google) == 0
        with google.lock:  # as the program before left them: old and flat
            top = next(file.id for file in google.tree.every() if file.title == "Snapbus")
            for number, (_, file) in enumerate(google.live()):
                stars = frozenset({OWNER} if not number else ())
                google.tree.put(replace(file, parent=top, created=OLD, starred=stars))
        assert write(tmp_path, google, f"{point}:{hit}:kill") == -signal.SIGKILL
        assert write(tmp_path, google) == 0

        folders = sorted(path.rpartition("/")[0] for path, _ in google.live())
        assert folders == ["/Snapbus", *["/Snapbus/2026/03/04"] * (PICTURES - 1)]


def _spoil(google: SimulatedGoogle) -> None:
    with google.lock:
        for _, file in google.live():
            google.tree.put(replace(file, md5="0" * 32), b"other")
