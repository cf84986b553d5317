"""A small Snapbus in one real process, and what tests ask of it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from shared.journal import Journal
from shared.settings import load
from tests.support.fakes import eventually
from tests.support.making import picture
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]


class Process:
    """tests/integration/runtime_services.py as a process of its own."""

    def __init__(self, folder: Path, **tree: Any) -> None:
        self.folder = folder
        self.inbox = folder / "inbox"
        self.inbox.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        base = {
            "data": str(folder / "data"),
            "health": {"port": self.port, "stuck_s": 1.0},
            "log": {"format": "json"},
            "scheduler": {"reconcile_s": 0.2, "grace_s": 2.0},
            "work": {"first_retry_s": 0.2, "stop_grace_s": 2.0},
        }
        self.config = folder / "snapbus.yml"
        self.config.write_text(yaml.safe_dump(base | tree))
        self.settings = load(self.config, environ={}, secrets=folder)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **env: str) -> Process:
        with (self.folder / "log").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.runtime_services", str(self.config)],
                cwd=ROOT,
                env=os.environ | {"INBOX": str(self.inbox)} | env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        return self

    @property
    def running(self) -> subprocess.Popen[bytes]:
        assert self.process is not None
        return self.process

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def get(self, path: str) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=10
            ) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except OSError as error:
            return 0, str(error)

    def ready(self) -> Process:
        def is_ready() -> bool:
            assert self.running.poll() is None, self.log()
            return self.get("/ready")[0] == 200

        eventually(is_ready, timeout=90, message="it is ready")
        return self

    def send(self, *numbers: int) -> None:
        """Hand pictures over; the file is gone once the picture is acknowledged."""
        for number in numbers:
            part = self.inbox / f"{number}.part"
            part.write_bytes(picture(number))
            part.rename(self.inbox / f"{number}.jpg")

    def taken(self) -> None:
        eventually(lambda: not list(self.inbox.iterdir()), timeout=60)

    def has_left(self, fewer_than: int) -> bool:
        """Whether so few pictures wait to be taken."""
        return len(list(self.inbox.iterdir())) < fewer_than

    def kill(self) -> None:
        self.running.kill()
        self.running.wait(10)

    def stop(self, seconds: float = 30.0) -> float:
        """SIGTERM; returns how long it took."""
        began = time.monotonic()
        self.running.terminate()
        assert self.running.wait(seconds) == 0, self.log()
        return time.monotonic() - began

    def journal(self) -> Journal:
        return Journal.open(self.settings.journal_url, owner=False)

    def states(self) -> dict[str, int]:
        journal = self.journal()
        try:
            return journal.read.counts().get("porch", {})
        finally:
            journal.close()

    def filed(self) -> list[str]:
        """The hashes of what is in the archive, each file once."""
        files = (self.folder / "data" / "archive").rglob("*.jpg")
        return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)

    def all_filed(self, count: int, timeout: float = 60) -> None:
        """Every picture is archived, in one file, by one effect, and nothing is unpublished."""
        wanted = sorted(hashlib.sha256(picture(n)).hexdigest() for n in range(count))
        eventually(lambda: self.states() == {"archived": count}, timeout=timeout)
        assert self.filed() == wanted
        journal = self.journal()
        try:
            eventually(lambda: journal.read.lag().unpublished == 0, timeout=timeout)
            for snapshot in journal.read.snapshots(limit=1000):
                topics = [each.event.topic for each in journal.read.story(snapshot.id)]
                assert topics == ["snapshot.taken", "snapshot.analyzed", "snapshot.archived"]
        finally:
            journal.close()
