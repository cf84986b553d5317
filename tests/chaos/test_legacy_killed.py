"""A process that dies between a trigger and its answer: asked once, told at least once, no more
than the same again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shared.admin.reference import failpoints
from shared.events import SnapshotRequested, SnapshotTaken
from tests.support.camera_pictures import jpeg
from tests.support.cameras import FaultyCamera, answer, says
from tests.support.fakes import eventually
from tests.support.peer import Heard, Peer
from tests.support.system import System

NOTIFY = "event.notify.snapshot.snapshot-processor.image"
FEW = "legacy.requested"
TRIGGER = "event.trigger.snapshot"
TOLD = {"legacy.before_request": 0, "legacy.requested": 1, "legacy.told": 2}
"""How often the house hears of the picture. A trigger that is not recorded yet is gone with the
queue, as it always was: its sender asks again, or the next one comes."""


@pytest.fixture
def system(tmp_path: Path, amqp_url: str) -> Iterator[System]:
    camera = FaultyCamera({"/a.jpg": says(answer(jpeg(1)))})
    with camera:
        tree = {
            "cameras": {"gate": {"fetch": {"url": camera.url("/a.jpg")}}},
            "legacy": {"enabled": True, "url": amqp_url},
            "scheduler": {"reconcile_s": 0.5, "grace_s": 1},
        }
        with closing(System(tmp_path, tree)) as system:
            yield system


def counts(system: System) -> tuple[int, int]:
    """The requests and the pictures."""
    with closing(system.journal()) as journal:
        latest = journal.read.latest_events
        return len(latest(9, topic=SnapshotRequested.topic)), len(
            latest(9, topic=SnapshotTaken.topic)
        )


@pytest.mark.promise("inv I8", "inv I12", "feat D2")
@pytest.mark.parametrize(
    "point",
    [
        name if name == FEW else pytest.param(name, marks=pytest.mark.prove)
        for name in failpoints()
        if name.startswith("legacy.")
    ],
)
def test_a_kill_at_each_point(system: System, amqp_url: str, point: str) -> None:
    with closing(Peer(amqp_url)) as peer:
        system.start("allinone", env={"FAILPOINT": f"{point}:1:kill"})
        peer.wait_for("event.heartbeat.snapshot")
        peer.trigger("gate Camera", timestamp=time.time())
        assert system.wait("allinone") == -9

        system.start("allinone", env={"FAILPOINT": ""})

        def heard() -> list[Heard]:
            peer.listen(0.1)
            return [each for each in peer.heard if each.key == NOTIFY]

        eventually(lambda: len(heard()) >= TOLD[point], timeout=30)
        recorded = 1 if TOLD[point] else 0
        eventually(lambda: counts(system) == (recorded, recorded), timeout=30)
        peer.listen(2)

    assert len(heard_at := [each for each in peer.heard if each.key == NOTIFY]) == TOLD[point]
    assert len({each.raw for each in heard_at}) <= 1
    assert len({each.properties.message_id for each in heard_at}) <= 1
