"""A process that dies anywhere on the way of a picture to Google Drive: one file in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from services.simulator.google.account import SimulatedGoogle
from shared.admin.reference import failpoints
from tests.support.google import simulated_google
from tests.support.google_archive import log_in
from tests.support.making import sqlite_journal

PICTURES = 3
FEW = ("google.reserved", "google.sent")
UPLOADING = [each for each in failpoints() if each.startswith("google.") and "moved" not in each]


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


def _spoil(google: SimulatedGoogle) -> None:
    with google.lock:
        for _, file in google.live():
            google.tree.put(replace(file, md5="0" * 32), b"other")
