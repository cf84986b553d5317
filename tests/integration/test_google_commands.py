"""``task drive:archive`` from a terminal: it says what it moved, or what is to be mended first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from services.drive.arrange import main
from services.simulator.google.account import SimulatedGoogle
from tests.support.google import simulated_google
from tests.support.google_archive import TOKEN, archive_at, client_file, log_in, numbered, persist
from tests.support.making import sqlite_journal

OLD = datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def google() -> Iterator[SimulatedGoogle]:
    with simulated_google() as simulated:
        yield simulated


@pytest.fixture
def config(google: SimulatedGoogle, tmp_path: Path) -> str:
    """Of a Snapbus that filed one picture, which lies flat and is old now."""
    log_in(google, tmp_path)
    journal = sqlite_journal(tmp_path / "snapbus.db")
    archive = archive_at(google.url, tmp_path, journal)
    persist(archive, numbered(tmp_path))
    archive.client.close()
    journal.close()
    with google.lock:
        top = next(file.id for file in google.tree.every() if file.title == "Snapbus")
        for _, file in google.live():
            google.tree.put(replace(file, parent=top, created=OLD))
    section = {"client": client_file(google.url), "api": google.url}
    drive = {"archive": "google", "google": section, "timezone": "UTC"}
    path = tmp_path / "snapbus.yml"
    path.write_text(yaml.safe_dump({"data": str(tmp_path), "drive": drive}))
    return str(path)


@pytest.mark.promise("feat F13")
def test_it_moves_and_says_how_much(google, config, capsys):
    assert main(["--config", config]) == 0

    assert capsys.readouterr().out.endswith("Done: 1 moved.\n")
    ((path, _),) = google.live()
    assert path.startswith("/Snapbus/2026/03/04/")
    assert main(["--config", config]) == 0
    assert capsys.readouterr().out.endswith("Done: nothing to do.\n")


def test_what_is_to_be_mended_is_told(google, config, tmp_path, capsys):
    assert main(["--config", config, "--archive", "cloud"]) == 2
    assert "Those in Google Drive: google" in capsys.readouterr().err
    (tmp_path / TOKEN).unlink()
    assert main(["--config", config]) == 1
    assert "task drive:login" in capsys.readouterr().err
