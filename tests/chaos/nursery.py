"""Starts services as real processes without waiting for their imports.

One process imports everything and forks a child per start: what takes seconds is paid once. A
child is as alone as any: own pid, own threads and files, and SIGKILL ends it and nothing else.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.ports import free_ports
from tests.support.system import System

ROOT = Path(__file__).parents[2]
IMPORTED = (
    "services.allinone.app",
    "shared.main",
    "alembic.command",
    "alembic.config",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
)


class Child:
    """One forked process, with the methods of ``subprocess.Popen`` that tests use."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.ended = threading.Event()

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if not self.ended.wait(timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return self.returncode or 0

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class Nursery:
    """Where children come from. Close it at the end: it ends those that still run."""

    def __init__(self) -> None:
        self._children: dict[int, Child] = {}
        self._asking = threading.Lock()
        self._answer: list[Child] = []
        self._answered = threading.Semaphore(0)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._reader = threading.Thread(target=self._read, name="nursery", daemon=True)
        self._reader.start()

    def start(self, name: str, config: Path, log: Path, env: Mapping[str, str]) -> Child:
        """Start the service of this name."""
        wanted = {"name": name, "config": str(config), "log": str(log), "env": dict(env)}
        with self._asking:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(wanted) + "\n")
            self._process.stdin.flush()
            if not self._answered.acquire(timeout=60):
                raise RuntimeError("the nursery does not answer")
            return self._answer.pop()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            child = self._children.setdefault(told["pid"], Child(told["pid"]))
            if "status" in told:
                del self._children[child.pid]
                child.returncode = os.waitstatus_to_exitcode(told["status"])
                child.ended.set()
            else:
                self._answer.append(child)
                self._answered.release()

    def close(self) -> None:
        for child in list(self._children.values()):
            child.kill()
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(20)
        self._reader.join(20)
        self._process.stdout.close()


class Forked(System):
    """A system whose processes come from a nursery."""

    def __init__(self, folder: Path, tree: Mapping[str, Any], nursery: Nursery) -> None:
        super().__init__(folder, tree)
        self._nursery = nursery

    def start(self, *names: str, env: Mapping[str, str] | None = None, wait: bool = True) -> None:
        for name in names:
            (port,) = free_ports(1)
            self._health_ports[name] = port
            environ = {"SNAPBUS__HEALTH__PORT": str(port), **(env or {})}
            child: Any = self._nursery.start(name, self.config, self.log_file(name), environ)
            self._processes[name] = child
        if wait:
            for name in names:
                self.wait_ready(name)


def _say(**what: Any) -> None:
    os.write(1, (json.dumps(what) + "\n").encode())


def _reap(_number: int, _frame: object) -> None:
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            _say(pid=ended[0], status=ended[1])


def _live(wanted: Mapping[str, Any]) -> int:
    """What the child does: become the service."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    output = os.open(wanted["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ |= wanted["env"]
    time.tzset()
    try:
        build = importlib.import_module(f"services.{wanted['name']}.app").build
        importlib.import_module("shared.main").main(
            wanted["name"], build, ["--config", wanted["config"]]
        )
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:  # noqa: BLE001  as the interpreter does
        traceback.print_exc()
        return 1
    return 0


def serve() -> None:
    """The nursery's own process: forks a child for each line of its input, tells of each end."""
    for module in IMPORTED:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, _reap)
    for line in sys.stdin:
        # An end is told after the beginning.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        pid = os.fork()
        if pid == 0:
            status = _live(json.loads(line))
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        _say(pid=pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


if __name__ == "__main__":
    serve()
