"""The whole process is killed each time it decodes a costly picture, as a kernel without memory may
do: it does not try for ever, and other pictures go on."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator
from contextlib import closing, suppress
from ftplib import FTP
from pathlib import Path

import pytest

from tests.support.fakes import eventually
from tests.support.hostile import BOMBS
from tests.support.pictures import jpeg
from tests.support.system import System
from tests.support.usage import tree

ATTEMPTS = 2
GOOD = ("1.jpg", "2.jpg", "3.jpg")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    settings = {
        "cameras": {"porch": {"ftp": {"password": "porch-pw"}}},
        # Long enough to be killed in the middle of it.
        "detector": {"engine": "none", "streams": 1, "decode_seconds": 60},
        "drive": {"enabled": False},
        "scheduler": {"reconcile_s": 0.2, "grace_s": 0.5},
        "work": {"attempts": ATTEMPTS},
    }
    with closing(System(tmp_path, settings)) as system:
        system.start("allinone")
        yield system


def push(system: System, name: str, data: bytes) -> None:
    with FTP(timeout=30) as ftp:
        ftp.connect("127.0.0.1", system.ftp_port)
        ftp.login("porch", "porch-pw")
        assert ftp.storbinary(f"STOR {name}", io.BytesIO(data)).startswith("226")


def ends(system: System) -> dict[str, str]:
    """What became of each picture, or who gave up on it."""
    found = system.get("/v1/snapshots")["snapshots"]
    return {each["name"]: ",".join(each["dead"]) or each["state"] for each in found}


def decoder(system: System) -> int:
    """The process that decodes a costly picture for the service; 0: there is none."""
    for pid in tree(system.pid("allinone")):
        with suppress(OSError):  # it ended just now
            if b"shared.picture.child" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
    return 0


def gave_up(system: System) -> bool:
    return "gave up at snapshot.taken" in system.log("allinone")


@pytest.mark.promise("fault D3", "find H2", "inv I6")
def test_a_picture_in_whose_decode_the_process_is_killed_each_time_ends_dead(system: System):
    push(system, "costly.jpg", BOMBS["16 bits, four channels"]())
    for name in GOOD:
        push(system, name, jpeg())
    kills = 0
    while (child := eventually(lambda: decoder(system) or gave_up(system), timeout=60)) > 1:
        system.kill("allinone")
        with suppress(ProcessLookupError):  # in a container it dies with the service
            os.kill(child, signal.SIGKILL)
        kills += 1
        assert kills < 10
        system.start("allinone", wait=False)
    system.wait_ready("allinone")
    (given_up,) = system.get("/v1/work?status=dead")["work"]
    assert given_up["service"] == "detector"
    assert "the process ended each time" in given_up["error"]
    assert kills == ATTEMPTS + 1  # the first attempt of all is counted once it is delivered again

    def done() -> bool:
        assert ends(system) == {"costly.jpg": "detector", **dict.fromkeys(GOOD, "skipped")}
        return True

    eventually(done, timeout=30)
