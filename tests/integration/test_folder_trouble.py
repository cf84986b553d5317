"""Watched folders in trouble: lost events, a hundred thousand files, a volume that goes away."""

from __future__ import annotations

import os
import shutil
import signal
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from services.folder.directory import Directory
from tests.support.fakes import eventually
from tests.support.folderdoor import put, standing, watching
from tests.support.making import picture
from tests.support.rights import need_rights
from tests.support.system import System
from tests.support.volume import Disk

SOME, ALL = 20_000, 100_000
QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    (tmp_path / "in").mkdir()
    tree = {
        "cameras": {"porch": {"folder": {"path": str(tmp_path / "in")}}},
        "folders": {"rescan_s": 1.0, "settle_s": 0.2},
    }
    with closing(System(tmp_path, tree)) as system:
        yield system


@pytest.mark.promise("fault W1")
def test_more_events_than_the_kernel_keeps_cost_time_and_no_picture(system: System):
    folder = system.folder / "in"
    system.start("folder")
    with closing(system.journal()) as journal:
        (folder / "first.jpg").write_bytes(picture(0))
        eventually(lambda: len(journal.read.snapshots(limit=5)) == 1)
        system.signal("folder", signal.SIGSTOP)
        kept = min(int(QUEUE.read_text()), 100_000)
        for number in range(kept // 2 + 1):  # each is told at least when made and when removed
            noise = folder / f"{number}.tmp"
            noise.touch()
            noise.unlink()
        (folder / "x.jpg").write_bytes(picture(1))
        system.signal("folder", signal.SIGCONT)
        eventually(lambda: len(journal.read.snapshots(limit=5)) == 2, timeout=60)
    eventually(lambda: not (folder / "x.jpg").exists())


@pytest.mark.promise("fault W3")
def test_a_hard_link_shows_nothing_of_its_file_and_leaves_it_alone(tmp_path: Path):
    outside = tmp_path / "shadow"
    outside.write_text("root:$6$canary:20000:0:99999:7:::\n")
    with standing(tmp_path) as door:
        os.link(outside, door.root / "x.jpg")
        os.utime(outside, (0, 0))
        door.scan()
        assert door.left() == [".rejected/x.jpg"] and door.names() == []
        assert not list(door.core.store.root.glob("blobs/*/*"))
    assert outside.read_text().startswith("root:")


@pytest.fixture(params=[SOME, pytest.param(ALL, marks=pytest.mark.prove)])
def crowded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder with very many empty files, numbered from the oldest on."""
    root = tmp_path / "crowded"
    for folder in range(10):
        (root / str(folder)).mkdir(parents=True)
    for number in range(request.param):
        path = f"{root}/{number % 10}/{number}.jpg"
        os.mknod(path)
        os.utime(path, (number, number))
    yield root
    shutil.rmtree(root)


@pytest.mark.promise("fault W4", "inv I17")
def test_very_many_files_are_listed_in_bounded_memory_the_oldest_first(crowded: Path):
    tracemalloc.start()
    try:
        found = Directory(crowded).oldest(100, lambda _: True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [file.path for file in found] == [f"{number % 10}/{number}.jpg" for number in range(100)]
    assert peak < 1_000_000  # a list of all would be megabytes, even of some


@pytest.mark.promise("fault W6")
def test_a_volume_that_goes_away_is_told_and_taken_up_when_it_is_back(tmp_path: Path):
    need_rights("a volume of its own")
    root = tmp_path / "in"
    volume = Disk(root, 5)
    try:
        with watching(tmp_path) as door:
            put(root, "x.jpg", picture(1))
            eventually(lambda: door.names() == ["x.jpg"])
            eventually(lambda: door.left() == [])
            volume.close()
            eventually(lambda: "is it mounted" in door.service.about()["summary"])
            assert door.names() == ["x.jpg"]
            volume = Disk(root, 5)
            put(root, "y.jpg", picture(2))
            eventually(lambda: door.names() == ["x.jpg", "y.jpg"])
            eventually(lambda: door.service.about()["ok"])
    finally:
        volume.close()
