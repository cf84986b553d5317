"""A whole Snapbus in real processes, as it runs outside tests: started, killed and looked into."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from shared.journal import Journal
from shared.runtime import health
from shared.settings import Settings, load
from shared.store import Store
from tests.support.fakes import eventually
from tests.support.ports import free_port, free_ports

ROOT = Path(__file__).parents[2]
SERVICES = ("ftp", "folder", "camera", "detector", "drive", "scheduler", "api")


class System:
    """Services as processes of one configuration below ``folder``. Close it at the end."""

    def __init__(self, folder: Path, tree: Mapping[str, Any]) -> None:
        self.folder = folder
        self.ftp_port, self.api_port, self.mail_port = free_ports(3)
        base: dict[str, Any] = {
            "data": str(folder / "data"),
            "ftp": {"host": "127.0.0.1", "port": self.ftp_port, "passive_ports": ""},
            "mail": {"host": "127.0.0.1", "port": self.mail_port, "tls_port": None},
            "api": {"host": "127.0.0.1", "port": self.api_port, "open": True},
            "detector": {"engine": "none"},
            "log": {"format": "json"},
            "health": {"port": 0},
        }
        for name, section in tree.items():
            base[name] = base.get(name, {}) | section if isinstance(section, dict) else section
        self.config = folder / "snapbus.yml"
        self.config.write_text(yaml.safe_dump(base))
        self.settings: Settings = load(self.config, environ={}, secrets=folder)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.within: Sequence[str] = ()
        """A program that runs the services, and its arguments."""
        self._health_ports: dict[str, int] = {}

    def start(self, *names: str, env: Mapping[str, str] | None = None, wait: bool = True) -> None:
        """Start these services, and wait until each is ready."""
        for name in names:
            port = free_port()
            self._health_ports[name] = port
            with self.log_file(name).open("ab") as output:
                self._processes[name] = subprocess.Popen(
                    [
                        *self.within,
                        sys.executable,
                        "-m",
                        f"services.{name}",
                        "--config",
                        str(self.config),
                    ],
                    cwd=ROOT,
                    env={**os.environ, "SNAPBUS__HEALTH__PORT": str(port), **(env or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
        if wait:
            for name in names:
                self.wait_ready(name)

    def wait_ready(self, name: str, timeout: float = 90) -> None:
        """Wait until a service says it is ready."""

        def ready() -> bool:
            ended = self._processes[name].poll()
            if ended is not None:
                raise RuntimeError(f"{name} ended with {ended}: {self.log(name)[-3000:]}")
            return not health.check(self._health_ports[name])

        eventually(ready, timeout=timeout, message=f"{name} is ready: {self.log(name)[-2000:]}")

    def problems(self, name: str) -> list[str]:
        """What a service's health check says."""
        return health.check(self._health_ports[name])

    def metrics_url(self, name: str) -> str:
        """Where a service tells its figures."""
        return f"http://127.0.0.1:{self._health_ports[name]}/metrics"

    def signal(self, name: str, number: int) -> None:
        """Send a signal to a service."""
        self._processes[name].send_signal(number)

    def kill(self, *names: str) -> None:
        """SIGKILL, as a crash; returns when the processes are gone."""
        for name in names:
            self._processes[name].kill()
        for name in names:
            self._processes[name].wait(10)

    def stop(self, *names: str, timeout: float = 40) -> list[int]:
        """SIGTERM, as Docker does; returns the exit statuses."""
        for name in names:
            self._processes[name].terminate()
        return [self._processes[name].wait(timeout) for name in names]

    def running(self) -> list[str]:
        """The services whose processes run."""
        return [name for name, process in self._processes.items() if process.poll() is None]

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def wait(self, name: str, timeout: float = 60) -> int:
        """Wait for a process to end by itself; returns its exit status."""
        return self._processes[name].wait(timeout)

    def log_file(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def log(self, name: str) -> str:
        path = self.log_file(name)
        return path.read_text(errors="replace") if path.exists() else ""

    def journal(self) -> Journal:
        """The journal beside the services; close it."""
        return Journal.open(self.settings.journal_url, owner=False)

    @property
    def store(self) -> Store:
        return Store(self.settings.store_root)

    @property
    def archive(self) -> Path:
        return self.settings.data / self.settings.drive.folder

    def get(self, path: str) -> Any:
        """The JSON at a path of the API."""
        url = f"http://127.0.0.1:{self.api_port}{path}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """Post JSON; returns the status and the JSON of the answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.api_port}{path}",
            data=json.dumps(body or {}).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def close(self) -> None:
        """Kill what runs."""
        for name, process in self._processes.items():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                self.kill(name)
