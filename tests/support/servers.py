"""What private servers of tests share: how they are found, waited for, and killed.

They stand beside any server of the machine: own names, own folders, own free ports of the
loopback. Started only when a test asks; everything is removed at the end.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path


class ServerMissing(Exception):
    """A program that a test needs is not installed."""


class ServerFailed(Exception):
    """A private server did not come up; the text holds the end of its log."""


def find_program(name: str, folders: Iterable[str], package: str) -> Path:
    """The newest `name` in the folders (globs below /), or on the PATH."""
    for pattern in folders:
        found = sorted(Path("/").glob(f"{pattern}/{name}"))
        if found:
            return found[-1]
    if on_path := shutil.which(name):
        return Path(on_path)
    raise ServerMissing(f"{name} is not installed; ./taskw test:setup installs {package}")


def wait_until_ready(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float
) -> None:
    """Poll `ready`; ServerFailed with the log's end when the process ends or time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        ended = process.poll() is not None
        if ended or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            raise ServerFailed(f"{process.args!r} {'ended' if ended else 'is not ready'}: {tail}")
        time.sleep(0.1)


def signal_group(process: subprocess.Popen[bytes] | None, number: int) -> None:
    """Send a signal to a server with all its children."""
    if process is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)


def group_lives(process: subprocess.Popen[bytes] | None) -> bool:
    """Whether any process of a server is left."""
    if process is None:
        return False
    process.poll()  # else the leader stays as a zombie, and its group with it
    try:
        os.killpg(process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def kill_group(process: subprocess.Popen[bytes] | None) -> None:
    """Kill a server with all its children, and wait until they are gone."""
    signal_group(process, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while group_lives(process) and time.monotonic() < deadline:
        time.sleep(0.02)


def family(pid: int) -> list[int]:
    """A process and all its descendants, the eldest first."""
    children: dict[int, list[int]] = defaultdict(list)
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            children[int(_fields(path / "stat")[1])].append(int(path.name))
    found = [pid]
    for each in found:
        found += children[each]
    return found


def state_of(stat: Path) -> str:
    """How a process or thread is, by its file below /proc; Z when it has ended."""
    with contextlib.suppress(OSError):
        return _fields(stat)[0]
    return "Z"


def kill_family(pid: int) -> None:
    """Kill a process with all its descendants, whatever their groups; returns when all ended."""
    all_of_it = family(pid)
    for each in all_of_it:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(state_of(Path(f"/proc/{each}/stat")) != "Z" for each in all_of_it):
        if time.monotonic() > deadline:
            raise ServerFailed(f"some of the processes {all_of_it} do not die")
        time.sleep(0.01)


def _fields(stat: Path) -> list[str]:
    return stat.read_text().rpartition(")")[2].split()
