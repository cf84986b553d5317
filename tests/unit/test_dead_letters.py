"""The command that lists and replays work, beside a running process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.admin import dead_letters as work
from tests.support.making import Core, core, taken


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Core]:
    here = core(tmp_path / "data")  # its process, which owns the SQLite file, goes on running
    yield here
    here.journal.close()


@pytest.fixture
def command(tmp_path: Path, here: Core, capsys):
    """Runs the command; returns its status and what it wrote."""
    config = tmp_path / "snapbus.yml"
    config.write_text(f"data: {here.settings.data}")

    def command(*arguments: str) -> tuple[int, str]:
        status = work.main([f"--config={config}", *arguments])
        written = capsys.readouterr()
        return status, written.out + written.err

    return command


def fail(here: Core, number: int, error: str, retry_after_s: float | None = None) -> None:
    here.journal.append([taken(number)])
    here.journal.fail("drive", taken(number), error, attempts=2, retry_after_s=retry_after_s)


def test_there_may_be_nothing(command):
    assert command("list") == (0, "nothing is unfinished\n")


def test_work_is_a_table_and_errors_do_not_steer_the_terminal(command, here: Core):
    fail(here, 1, "volume\x1b[31m away", retry_after_s=3600)
    fail(here, 2, "no use")
    status, told = command("list")
    head, *rows = told.splitlines()
    assert status == 0
    assert head.split() == list(work.COLUMNS)
    assert len(rows) == 2
    assert "no use" in rows[0]
    assert "\x1b" not in told
    assert taken(1).id in rows[1]
    assert "retry" in rows[1]
    _, told = command("list", "--dead")
    assert len(told.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--all"], 2),
        (["--service", "drive"], 2),
        (["--service", "ftp"], 0),
        (["--event", taken(1).id], 1),
        (["--snapshot", taken(2).snapshot_id], 1),
    ],
)
def test_dead_work_is_made_due_again(command, here: Core, arguments: list[str], count: int):
    fail(here, 1, "no use")
    fail(here, 2, "no use")
    here.journal.mark_published([taken(1).id, taken(2).id])
    status, told = command("replay", *arguments)
    assert (status, told.split()[0]) == (0, str(count))
    assert len(here.journal.recovery.due(10)) == count


def test_nothing_is_replayed_by_accident(command, here: Core):
    fail(here, 1, "no use")
    status, told = command("replay")
    assert status == 2
    assert "--all" in told
    assert here.journal.recovery.due(10) == []


def test_without_a_journal_it_makes_none(tmp_path: Path, capsys):
    config = tmp_path / "snapbus.yml"
    config.write_text(f"data: {tmp_path / 'none'}")
    assert work.main([f"--config={config}", "list"]) == 2
    assert "start Snapbus first" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
