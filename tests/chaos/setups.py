"""The set-ups that are broken: real processes, private servers, small disks that can fill up."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.chaos.clock import Clock
from tests.chaos.ledger import Pictures
from tests.chaos.servers import Broker, Database
from tests.chaos.tally import FETCHED, Rows
from tests.support.proxy import Proxy
from tests.support.system import ROOT, System
from tests.support.volume import Disk

SETUPS = ("rabbit", "allinone")
SERVICES = ("ftp", "folder", "camera", "detector", "drive", "scheduler")
CAMERAS = ("porch", "gate", "yard", "barn", "street", "attic", "probe")
RESTART_S = 0.5
SCRAPE_S = 1.0
REPEATED = re.compile(rb'^snapbus_events_handled_total\{.*outcome="repeated".*\} (\S+)$', re.M)


class Stage:
    """One set-up of Snapbus, supervised as Docker does: what ends is started again."""

    def __init__(self, setup: str, minutes: float, pictures: Pictures) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        with contextlib.ExitStack() as self._exit:
            self._build(setup, minutes, pictures)
            self._exit = self._exit.pop_all()

    def _build(self, setup: str, minutes: float, pictures: Pictures) -> None:
        self._repeated: dict[tuple[str, int], float] = {}
        self.root = Path(
            self._exit.enter_context(tempfile.TemporaryDirectory("", "snapbus-chaos-"))
        )
        self.disk = self._disk("data", 400 + int(minutes * 80))
        self.journal_disk = self._disk("journal", 200 + int(minutes * 30))
        self.inbox = self.root / "inbox"
        self.inbox.mkdir()
        self.pond = self.root / "pond"
        self.pond.mkdir()
        for number in range(20):
            (self.pond / f"{number:02d}.jpg").write_bytes(pictures.next())
        self.broker: Broker | None = None
        self.database: Database | None = None
        self.links: dict[str, Proxy] = {}
        self.names = SERVICES if setup == "rabbit" else ("allinone",)
        tree = self._tree()
        if setup == "rabbit":
            self._add_servers(tree)
        else:
            path = self.journal_disk.root / "snapbus.db"
            tree["journal"] = {"url": f"sqlite:///{path}"}
            self.rows = Rows(str(path))
        self.system = System(self.root, tree)
        self._exit.callback(self.system.close)
        self.clock = Clock(self.root)
        self._threads = [
            threading.Thread(target=each, name=each.__name__, daemon=True)
            for each in (self._supervise, self._scrape)
        ]

    def _disk(self, name: str, megabytes: int) -> Disk:
        disk = Disk(self.root / name, megabytes)
        self._exit.callback(disk.close)
        return disk

    def _tree(self) -> dict[str, Any]:
        cameras: dict[str, Any] = {name: {"ftp": {"password": f"{name}-pw"}} for name in CAMERAS}
        cameras["inbox"] = {"folder": {"path": str(self.inbox)}}
        cameras[FETCHED] = {"fetch": {"kind": "file", "path": str(self.pond), "every_s": 2.0}}
        return {
            "data": str(self.disk.root / "snapbus"),
            "cameras": cameras,
            "folders": {"rescan_s": 2.0, "settle_s": 0.5},
            "scheduler": {"reconcile_s": 1.0, "grace_s": 5.0},
            "work": {"first_retry_s": 1.0, "longest_retry_s": 10.0},
        }

    def _add_servers(self, tree: dict[str, Any]) -> None:
        self.broker = self._exit.enter_context(contextlib.closing(Broker()))
        self.database = self._exit.enter_context(contextlib.closing(Database()))
        for server in (self.broker, self.database):
            server.start()
        database = self.database.add_database()
        self.links = {"broker": Proxy(self.broker.port), "database": Proxy(self.database.port)}
        for link in self.links.values():
            self._exit.callback(link.close)
        url = self.database.url(database)
        self.rows = Rows(url.replace("postgresql+psycopg:", "postgresql:"))
        near, far = f":{self.database.port}/", f":{self.links['database'].port}/"
        tree["journal"] = {"url": url.replace(near, far)}
        near, far = f":{self.broker.port}/", f":{self.links['broker'].port}/"
        tree["broker"] = {"url": self.broker.url().replace(near, far)}

    def start(self) -> None:
        """Start everything; returns when all are ready."""
        self.system.start(*self.names, env=self.clock.env)
        for thread in self._threads:
            thread.start()

    def signal(self, name: str, number: int) -> None:
        """Send a signal to a service; one that is gone is being restarted anyway."""
        with contextlib.suppress(ProcessLookupError):
            self.system.signal(name, number)

    def end(self, name: str, number: int) -> None:
        """Send a signal that ends a service, and return when it has ended."""
        pid = self.system.pid(name)
        self.signal(name, number)
        deadline = time.monotonic() + 20
        while self.system.pid(name) == pid and name in self.system.running():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{name} does not end on signal {number}")
            time.sleep(0.05)

    def _supervise(self) -> None:
        while not self._stop.wait(RESTART_S):
            running = self.system.running()
            for name in self.names:
                if name not in running and not self._stop.is_set():
                    self.system.start(name, env=self.clock.env, wait=False)

    def _scrape(self) -> None:
        while not self._stop.wait(SCRAPE_S):
            self.scrape()

    def scrape(self) -> float:
        """How often a service was given what it had finished before, at the least: what a process
        counted in its last second before a kill is not known."""
        for name in self.names:
            with contextlib.suppress(OSError, KeyError):
                pid, url = self.system.pid(name), self.system.metrics_url(name)
                with urllib.request.urlopen(url, timeout=1) as answer:
                    counts = REPEATED.findall(answer.read())
                self._repeated[name, pid] = sum(map(float, counts))
        return sum(self._repeated.values())

    def doctor(self) -> str:
        """What the doctor finds; empty: all is well."""
        command = [sys.executable, "-m", "shared.admin.doctor", "--config", str(self.system.config)]
        done = subprocess.run(
            [*command, "--level", "hashes"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def keep_logs(self, folder: Path) -> None:
        """Copy the logs of the services into a folder, for whoever looks for the cause."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in self.names:
            shutil.copy(self.system.log_file(name), folder)

    def halt(self) -> None:
        """End supervision and all processes."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(30)
        self.system.close()

    def close(self) -> None:
        """End all processes, servers and disks."""
        self.halt()
        self._exit.close()
