"""Rows 13 and 14: what one process costs at rest and until it is ready, and Compose at rest.

Plain figures beside a stated target: there is nothing to compare with. Processor time, so that what
else the machine does counts little. Compose is measured where it runs, and without its two servers.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from tests.bench.results import Row
from tests.support.postgres import PostgresServer
from tests.support.rabbit import RabbitServer
from tests.support.system import ROOT, SERVICES, System

SETTLE_S, REST_S = 15.0, 60.0
TICKS = os.sysconf("SC_CLK_TCK")
NOT_OURS = ("rabbitmq", "postgres")
CGROUPS = Path("/sys/fs/cgroup")
MODEL = ROOT / "services/simulator/figures.onnx"
TREE = {
    "detector": {"engine": "auto", "model": str(MODEL)},
    "cameras": {"porch": {"ftp": {"password": "porch-pw"}}},
}


def run() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name, closing(System(Path(name), TREE)) as system:
        for which in ("first start", "next start"):
            system.start("allinone")
            spent_s = _spent(system.pid("allinone"))
            yield Row(14, f"{which} of one process, s of processor", spent_s, 4.0, 6.0, "less")
            if which == "first start":
                system.stop("allinone")
        yield from _one_process(system.pid("allinone"))
    yield from _seven()
    yield from _compose()


def _seven() -> Iterator[Row]:
    """The services of Compose as processes beside private servers; health checks are not in it."""
    with (
        tempfile.TemporaryDirectory() as name,
        closing(RabbitServer()) as rabbit,
        closing(PostgresServer()) as postgres,
    ):
        rabbit.start()
        postgres.start()
        tree = TREE | {
            "broker": {"url": rabbit.url(rabbit.add_vhost())},
            "journal": {"url": postgres.url(postgres.add_database())},
        }
        with closing(System(Path(name), tree)) as system:
            system.start(*SERVICES)
            pids = [system.pid(service) for service in SERVICES]
            share = _share(lambda: sum(map(_spent, pids)))
            yield Row(13, "seven processes at rest, % of a core", share, 2.0, 4.0, "less")
            held = sum(_status(pid, "RssAnon") for pid in pids)
            yield Row(13, "seven processes at rest, MiB", held, 450, 600, "less")


def _one_process(pid: int) -> Iterator[Row]:
    share = _share(lambda: _spent(pid))
    yield Row(13, "one process at rest, % of a core", share, 1.0, 2.0, "less")
    yield Row(13, "one process at rest, MiB", _status(pid, "VmRSS"), 400, 450, "less")


def _share(spent: Callable[[], float]) -> float:
    """Percent of a core, once what follows a start is over."""
    time.sleep(SETTLE_S)
    before, began = spent(), time.monotonic()
    time.sleep(REST_S)
    return 100 * (spent() - before) / (time.monotonic() - began)


def _status(pid: int, name: str) -> float:
    """Mebibytes."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.partition(f"{name}:")[2].split()[0]) / 1024


def _spent(pid: int) -> float:
    """Seconds of processor of a process and of its children that have ended."""
    after_name = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return sum(map(int, after_name[11:15])) / TICKS


def _compose() -> Iterator[Row]:
    containers = _containers()
    if not containers:
        yield Row(13, "Compose at rest, % of a core", None, detail="no containers run: task rund")
        return
    share = _share(lambda: sum(map(_used, containers)))
    how_many = f"{len(containers)} containers, their health checks included"
    yield Row(13, "Compose at rest, % of a core", share, 3.0, 6.0, "less", how_many)
    held = sum(map(_held, containers))
    yield Row(13, "Compose at rest, MiB", held, 450, 600, "less", how_many)


def _containers() -> list[str]:
    """The ids of the running containers of our services."""
    command = ["docker", "compose", "ps", "--format", "{{.ID}} {{.Service}}", "--no-trunc"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    pairs = [line.split() for line in done.stdout.splitlines()]
    return [container for container, service in pairs if service not in NOT_OURS]


def _used(container: str) -> float:
    """Seconds of processor that a container has used."""
    old = CGROUPS / "cpuacct/docker" / container / "cpuacct.usage"
    if old.exists():
        return int(old.read_text("ascii")) / 1e9
    return int(_unified(container, "cpu.stat").partition("usage_usec ")[2].split()[0]) / 1e6


def _held(container: str) -> float:
    """Mebibytes that a container holds, without what is only cached of files."""
    old = CGROUPS / "memory/docker" / container / "memory.stat"
    if old.exists():
        return int(old.read_text("ascii").partition("total_rss ")[2].split()[0]) / 2**20
    return int(_unified(container, "memory.stat").partition("anon ")[2].split()[0]) / 2**20


def _unified(container: str, name: str) -> str:
    return (CGROUPS / f"system.slice/docker-{container}.scope" / name).read_text("ascii")
