"""A picture that may have ended the process is looked at in one of its own, with limits."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from services.detector.analyst import Analyst
from services.detector.engines.choose import choose, open_engine
from services.detector.isolated import IsolatedAnalyst
from shared.errors import Crashed, Retry
from shared.events import Event, SnapshotTaken, now
from shared.settings.detector import DetectorSection
from shared.store import Store
from tests.support.fakes import eventually
from tests.support.pictures import damaged, jpeg
from tests.support.rig import EVENT, Rig, skipped
from tests.support.system import ROOT

MODEL = ROOT / "services/simulator/figures.onnx"


def taken(store: Store, data: bytes) -> Event:
    part = store.receive(10**8)
    part.write(data)
    blob = part.commit()
    return SnapshotTaken(
        camera="porch", door="ftp", sha256=blob.sha256, size=blob.size, media_type="image/jpeg",
        captured_at=now(), received_at=now(),
    ).event(subject="porch", cause="test", snapshot_id="0" * 26)  # fmt: skip


@pytest.mark.promise("fault D3")
def test_alone_says_what_would_have_been_said_here(store: Store, tmp_path: Path):
    settings = DetectorSection(engine="onnx", model=MODEL)
    event = taken(store, jpeg())
    here = Analyst(store, open_engine(choose(settings), settings, tmp_path))

    (in_isolation,) = IsolatedAnalyst(store.root, tmp_path, settings)(event)

    (expected,) = here(event)
    assert in_isolation.id == expected.id
    assert {**in_isolation.data, "milliseconds": 0} == {**expected.data, "milliseconds": 0}


@pytest.mark.promise("fault D3", "fault D8")
def test_a_damaged_picture_is_rejected_and_a_missing_one_tried_again(store: Store, tmp_path: Path):
    isolated = IsolatedAnalyst(store.root, tmp_path, DetectorSection(engine="none"))
    (said,) = isolated(taken(store, next(iter(damaged(jpeg()).values()))))
    assert said.topic == "snapshot.rejected"

    gone = taken(store, jpeg())
    store.path(str(gone.data["sha256"])).unlink()
    with pytest.raises(Retry):
        isolated(gone)


@pytest.mark.promise("fault D3", "inv I17")
def test_a_picture_that_takes_too_much_memory_ends_only_its_own_process(
    store: Store, tmp_path: Path
):
    settings = DetectorSection(engine="onnx", model=MODEL)
    with pytest.raises(Crashed, match="ended a process of its own"):
        isolated = IsolatedAnalyst(store.root, tmp_path, settings, memory_bytes=150 * 2**20)
        isolated(taken(store, jpeg()))


def child() -> int:
    """The process that looks at a picture for this one."""
    for children in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # it ended just now
            for pid in children.read_text().split():
                if b"services.detector.isolated" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
    return 0


@pytest.mark.promise("fault D3")
def test_a_decoder_that_crashes_ends_only_its_own_process(store: Store, tmp_path: Path):
    isolated = IsolatedAnalyst(store.root, tmp_path, DetectorSection(engine="none"))
    event = taken(store, jpeg())
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(isolated, event)
        os.kill(eventually(child), signal.SIGSEGV)
        with pytest.raises(Crashed, match="SIGSEGV"):
            answer.result(20)


@pytest.mark.promise("fault D3")
def test_a_picture_that_is_looked_at_for_ever_is_given_up(store: Store, tmp_path: Path):
    event = taken(store, jpeg())
    path = store.path(event.data["sha256"])
    path.unlink()
    os.mkfifo(path)  # reading it never ends

    with pytest.raises(Crashed, match="longer than 2 s"):
        IsolatedAnalyst(store.root, tmp_path, DetectorSection(engine="none"), seconds=1)(event)
    assert not child()


@pytest.mark.promise("fault D3")
def test_what_was_begun_without_an_end_is_handled_alone_and_dead_in_the_end(tmp_path: Path):
    rig = Rig(tmp_path)
    in_isolation: list[str] = []

    def crashes(event: Event) -> list[Event]:
        in_isolation.append(event.id)
        raise Crashed("it ended a process of its own")

    for worker in rig.workers:
        worker._service = replace(rig.service, isolated=crashes)
    with closing(rig):
        rig.journal.append([EVENT])
        rig.journal.begin("drive", EVENT, redelivered=True)  # and then the process ended
        rig.start()
        rig.give(EVENT, queue="drive")
        eventually(lambda: rig.status() == "dead")
        assert (rig.seen, in_isolation) == ([], [EVENT.id])
        assert "process of its own" in rig.error()


def test_what_was_never_begun_is_handled_here(tmp_path: Path):
    rig = Rig(tmp_path)
    for worker in rig.workers:
        worker._service = replace(rig.service, isolated=lambda _: pytest.fail("isolated"))
    with closing(rig):
        rig.journal.append([EVENT])
        rig.start()
        rig.give(EVENT, queue="drive")
        eventually(lambda: rig.status() == "done")
    assert [output.topic for output in skipped(EVENT)] == ["snapshot.skipped"]
