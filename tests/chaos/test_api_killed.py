"""Killed while a picture is requested: whoever asks again with the same key gets one picture."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shared.events import SnapshotRequested
from tests.chaos.nursery import Forked, Nursery
from tests.support.fakes import eventually
from tests.support.pictures import jpeg
from tests.support.system import System


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with closing(Nursery()) as nursery:
        yield nursery


@pytest.fixture
def system(tmp_path: Path, nursery: Nursery) -> Iterator[System]:
    (tmp_path / "still.jpg").write_bytes(jpeg())
    still = {"kind": "file", "path": str(tmp_path / "still.jpg")}
    tree = {"cameras": {"gate": {"fetch": still}}, "scheduler": {"reconcile_s": 0.3, "grace_s": 2}}
    with closing(Forked(tmp_path, tree, nursery)) as system:
        yield system


def ask(system: System) -> Any:
    """Request a picture with a key; the answer, None when there was none."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{system.api_port}/v1/cameras/gate/snapshots",
        data=b"{}",
        headers={"Content-Type": "application/json", "Idempotency-Key": "once"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError:
        raise
    except OSError:
        return None


@pytest.mark.promise("fault H1", "inv I8", "inv I12")
@pytest.mark.parametrize(
    ("where", "recorded"), [("journal.between_event_and_state", 0), ("source.recorded", 1)]
)
def test_killed_before_or_after_the_commit_one_key_is_one_picture(
    system: System, where: str, recorded: int
):
    system.start("allinone", env={"FAILPOINT": f"{where}:1:kill"})
    assert ask(system) is None
    assert system.wait("allinone") == -9
    with closing(system.journal()) as journal:
        events = journal.read.latest_events(10, topic=SnapshotRequested.topic)
        assert len(events) == recorded

        system.start("allinone", env={"FAILPOINT": ""})
        answers = [ask(system) for _ in range(3)]

        assert len({each["id"] for each in answers}) == 1
        assert all(each.event.id == answers[0]["id"] for each in events)
        url = answers[0]["url"]
        eventually(lambda: system.get(url)["state"] == "done", timeout=30)
        assert ask(system) == answers[0]
        assert len(journal.read.latest_events(10, topic=SnapshotRequested.topic)) == 1
        assert len(journal.read.snapshots(limit=10)) == 1
