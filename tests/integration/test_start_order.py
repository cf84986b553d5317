"""What handles pictures is there before a door opens, and FTP opens last."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from services.allinone.app import BUILDS
from shared.events import Event
from shared.runtime.runtime import Runtime
from shared.service import Service
from shared.settings import Settings
from shared.stop import Stop


class Door:
    """Notes which threads there are once it opens."""

    def __init__(self, name: str, opened: list[tuple[str, set[str]]]) -> None:
        self.name, self.opened = name, opened

    def run(self, stop: Stop) -> None:
        self.opened.append((self.name, {each.name for each in threading.enumerate()}))
        stop.wait()


def handle(event: Event) -> Sequence[Event]:
    return []


@pytest.mark.promise("feat K19")
def test_bus_and_workers_run_before_the_first_door_opens(tmp_path: Path):
    opened: list[tuple[str, set[str]]] = []
    services = [
        Service("one", sources=[Door("one", opened)]),
        Service("detector", {"snapshot.taken": handle}, workers=2),
        Service("two", sources=[Door("two", opened)]),
    ]
    settings = Settings.model_validate({"data": tmp_path, "health": {"port": 0}})
    runtime = Runtime(settings, lambda context: services)
    ended: list[int] = []
    thread = threading.Thread(target=lambda: ended.append(runtime.run()))
    thread.start()
    try:
        deadline = threading.Event()
        while len(opened) < 2 and thread.is_alive() and not deadline.wait(0.02):
            pass
    finally:
        runtime.stop()
        thread.join(20)

    assert ended == [0]
    assert all({"bus", "outbox", "detector-0", "detector-1"} <= there for _, there in opened)


@pytest.mark.promise("feat K19")
def test_in_one_process_the_doors_open_in_their_order_and_ftp_last():
    names = [build.__module__.split(".")[1] for build in BUILDS]
    assert names.index("detector") < names.index("drive") < names.index("camera")
    assert names[-1] == "ftp"
