"""A disk whose power can be cut: ext4 in a file, of which a copy is what the disk held.

What was written but not synced is in memory only, so it is not in the copy. ``commit=300`` keeps
ext4 from syncing by itself every 5 s, which would hide a missing sync. Needs root and loop mounts.
The writers are stopped while the copy is made; a disk that lies about its cache is not modelled.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from tests.support.fakes import eventually
from tests.support.servers import state_of

MEGABYTES = 1024


class Disk:
    """An empty volume, mounted at ``place``. Close it at the end."""

    def __init__(self, folder: Path, place: Path) -> None:
        self.place = place
        self._folder = folder
        self._cuts = 0
        image = self._image()
        with image.open("wb") as file:
            file.truncate(MEGABYTES * 2**20)
        _run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
        place.mkdir(parents=True, exist_ok=True)
        self._mount()
        (place / "lost+found").rmdir()
        self.sync()

    def cut(self, processes: Iterable[int]) -> None:
        """Cut the power: these processes die, and only what was on the disk is left."""
        pids = list(processes)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        for pid in pids:
            eventually(partial(_stands, pid), timeout=60, message=f"process {pid} stands")
        before = self._image()
        self._cuts += 1
        _run("cp", "--sparse=always", str(before), str(self._image()))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for pid in pids:
            eventually(partial(_is_gone, pid), timeout=20, message=f"process {pid} is gone")
        self._unmount()
        before.unlink()
        self._mount()

    def sync(self) -> None:
        """Write all that is in memory: what comes before the part that is tested."""
        _run("sync", "-f", str(self.place))

    def close(self) -> None:
        """Unmount and remove it."""
        with suppress(subprocess.CalledProcessError):
            self._unmount()
        self._image().unlink(missing_ok=True)

    def _image(self) -> Path:
        return self._folder / f"disk-{self._cuts}.img"

    def _mount(self) -> None:
        _run("mount", "-o", "loop,commit=300", str(self._image()), str(self.place))

    def _unmount(self) -> None:
        deadline = time.monotonic() + 10
        while True:
            try:
                _run("umount", str(self.place))
                return
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


def _stands(pid: int) -> bool:
    """Whether every thread stands: one that waits for a sync first has to see its end."""
    tasks = list(Path(f"/proc/{pid}/task").glob("*/stat"))
    return all(state_of(task) in "TtZ" for task in tasks)


def _is_gone(pid: int) -> bool:
    return state_of(Path(f"/proc/{pid}/stat")) == "Z"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=300)
