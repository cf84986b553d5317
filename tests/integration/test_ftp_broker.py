"""The broker is away: cameras do not notice; what they sent waits in the journal and drains."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.fakes import eventually
from tests.support.ftpdoor import PASSWORD, session
from tests.support.pictures import jpeg, scene
from tests.support.rabbit import RabbitServer
from tests.support.system import System

PICTURES = 30


@pytest.fixture
def system(tmp_path: Path, postgres_url: str, amqp_url: str) -> Iterator[System]:
    tree = {
        "journal": {"url": postgres_url},
        "broker": {"url": amqp_url},
        "cameras": {"porch": {"ftp": {"password": PASSWORD}}},
        "scheduler": {"reconcile_s": 0.3, "grace_s": 5},
    }
    with closing(System(tmp_path, tree)) as system:
        system.start("ftp", "detector", "drive", "scheduler")
        yield system


@pytest.mark.promise("fault F11", "inv I1", "inv I6", "inv I9")
def test_without_a_broker_pictures_are_acknowledged_and_drain_when_it_is_back(
    system: System, rabbit: RabbitServer
):
    pictures = [jpeg(scene(320 + 8 * number, 240)) for number in range(PICTURES)]
    rabbit.stop()
    eventually(lambda: "broker" in str(system.problems("ftp")), message="it is told")
    with session(system.ftp_port) as camera, closing(system.journal()) as journal:
        for number, data in enumerate(pictures):
            assert camera.put(f"{number}.jpg", data).startswith("226")
        assert journal.read.lag().unpublished == PICTURES

        rabbit.start()

        sent = sorted(hashlib.sha256(data).hexdigest() for data in pictures)
        eventually(lambda: archived(system) == sent, timeout=60, message="all are archived once")
        eventually(lambda: journal.read.lag().unpublished == 0, timeout=30)
    eventually(lambda: not system.problems("ftp"), timeout=30)


def archived(system: System) -> list[str]:
    """The hashes of the files in the archive."""
    files = system.archive.glob("2*/*/*/*.jpg")
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
