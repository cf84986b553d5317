"""Somebody guesses passwords: nothing is found, and the camera notices nothing of it."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.ingest import accounts
from tests.support.fakes import eventually
from tests.support.ftpdoor import Running, ftp_door
from tests.support.guessers import guessing, logs_in_every_second

HERE = "127.0.0.1"
TWO_HUNDRED = [f"127.0.1.{number}" for number in range(1, 201)]
SECONDS = 8.0


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Running]:
    with ftp_door(tmp_path) as running:
        with running.raw():
            pass  # the camera was there before
        yield running


def checks(door: Running) -> int:
    """Wrong passwords of porch that were compared."""
    return sum(each.count for each in door.server._state.accounts.guesses._of.values())


@pytest.mark.promise("sec A5", "find M1", "find M7")
@pytest.mark.parametrize(
    ("addresses", "most_a_second"),
    [
        pytest.param([HERE] * 12, 5.0, id="its own address"),
        pytest.param([HERE] * 60, 5.0, id="all places of its address", marks=pytest.mark.prove),
        pytest.param(["127.0.0.9"] * 12, 1.0, id="another address", marks=pytest.mark.prove),
        pytest.param(TWO_HUNDRED, 1.0, id="200 addresses"),
    ],
)
def test_while_somebody_guesses_its_password_a_camera_is_never_refused(
    door: Running, addresses: list[str], most_a_second: float
):
    with guessing(door.port, "porch", addresses) as guessers:
        start = time.monotonic()
        took = logs_in_every_second(door.port, SECONDS)
        seconds = time.monotonic() - start
        checked = checks(door)
    assert len(took) >= SECONDS / 4
    assert 0 < checked <= most_a_second * seconds + 2
    assert guessers.found == 0


@pytest.mark.promise("sec A5", "find M7")
@pytest.mark.parametrize(
    "addresses",
    [
        pytest.param([HERE] * 20, id="one"),
        pytest.param(TWO_HUNDRED, id="many", marks=pytest.mark.prove),
    ],
)
def test_guessing_is_told_as_an_alarm(door: Running, addresses: list[str], caplog):
    def alarms() -> list[str]:
        return [event.subject for event in door.core.told if event.topic == "camera.guessed"]

    with guessing(door.port, "porch", addresses):
        eventually(lambda: alarms() == ["porch"], timeout=90)
        assert "guesses the password of porch" in door.about()["summary"]
    assert door.about()["guessed"]["porch"]["count"] >= 10
    assert "somebody guesses the password of porch" in caplog.text


@pytest.mark.promise("sec A5")
def test_a_camera_with_a_new_address_gets_in_while_somebody_guesses(tmp_path: Path):
    with ftp_door(tmp_path) as door, guessing(door.port, "porch", TWO_HUNDRED[:20]):
        time.sleep(1)

        def gets_in() -> bool:
            with contextlib.suppress(AssertionError):
                return bool(logs_in_every_second(door.port, 0.5))
            return False

        eventually(gets_in, timeout=20)


@pytest.mark.promise("sec A5", "find M1")
def test_after_a_restart_a_camera_that_was_there_before_is_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with ftp_door(tmp_path) as door, door.raw():
        pass
    # From elsewhere nothing is checked after the first wrong one: who is not known has no turn.
    monkeypatch.setattr(accounts, "OF_ACCOUNT", accounts.Rate(1, 0.0))
    with ftp_door(tmp_path) as door, guessing(door.port, "porch", TWO_HUNDRED):
        eventually(lambda: checks(door) == 1)
        assert logs_in_every_second(door.port, 2.0)
        assert checks(door) == 1


@pytest.mark.prove
@pytest.mark.timeout(300)
@pytest.mark.promise("sec A5", "find M1", "find M7")
@pytest.mark.parametrize(
    ("addresses", "most_a_second"), [([HERE] * 16, 5.0), (TWO_HUNDRED, 1.0)], ids=["one", "200"]
)
def test_two_minutes_of_guessing_find_nothing(
    door: Running, addresses: list[str], most_a_second: float
):
    with guessing(door.port, "porch", addresses) as guessers:
        took = logs_in_every_second(door.port, 120)
        assert checks(door) <= most_a_second * 120 and guessers.found == 0
    assert max(took) < 10


@pytest.mark.prove
@pytest.mark.timeout(300)
@pytest.mark.skipif(not shutil.which("hydra"), reason="hydra is not installed")
@pytest.mark.promise("sec A5", "find M1")
def test_hydra_finds_nothing_and_the_camera_logs_in_every_second(door: Running, tmp_path: Path):
    """It comes from the camera's own address, where most is checked."""
    words = tmp_path / "words"
    words.write_text("".join(f"word{number}\n" for number in range(500)))
    command = ["hydra", "-l", "porch", "-P", str(words), "-t", "16", "-I", "-f"]
    with subprocess.Popen(
        [*command, "-s", str(door.port), HERE, "ftp"],
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as hydra:
        try:
            took = logs_in_every_second(door.port, 120)
        finally:
            hydra.terminate()
        assert hydra.stdout
        said = hydra.stdout.read()
    assert 10 < checks(door) <= 5 * 120, said
    assert "login: porch" not in said
    assert len(took) > 60 and max(took) < 10
    assert door.about()["guessed"]
