"""Google Drive under a storm: pictures come in, calls fail, processes die; then it is looked at."""

from __future__ import annotations

import ftplib
import hashlib
import io
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from services.drive import arrange
from services.simulator.google.account import SimulatedGoogle
from services.simulator.google.faults import PASSING
from services.simulator.google.file import File
from services.simulator.google.token import log_in
from tests.chaos.account import is_drained, journal_of
from tests.chaos.feeds import PASSWORD, Feed, Pictures
from tests.chaos.nursery import Forked, Nursery
from tests.support.system import ROOT, System

SEED = 20261120
DAYS = 5
RATE = 0.02
LAG_S = 1.0
POINTS = (
    "google.reserved", "google.sent", "google.trashed", "google.folder_reserved",
    "google.folder_made", "google.moving", "google.moved", "worker.committed", "worker.handled",
    "journal.before_commit", "journal.after_commit", "intake.stored",
)  # fmt: skip


class DatedFeed(Feed):
    """A camera whose names tell their times: on several days, in one session after another."""

    def __init__(self, number: int, port: int, pictures: Pictures) -> None:
        super().__init__(number)
        self._port = port
        self._pictures = pictures
        self._client: ftplib.FTP | None = None
        self.first = datetime.now(UTC) - timedelta(days=DAYS)
        self._count = 0

    def one(self) -> None:
        _, data = self._pictures.next()
        taken = self.first + timedelta(days=self._count % DAYS, seconds=self._count // DAYS)
        self._count += 1
        name = f"MDAlarm_{taken:%Y%m%d-%H%M%S}.jpg"

        def upload() -> None:
            try:
                self._session().storbinary(f"STOR {name}", io.BytesIO(data))
            except (OSError, EOFError, ftplib.Error):
                self._end()
                raise

        self.insist(hashlib.sha256(data).hexdigest(), upload)
        if self._count == self.number:
            self._end()

    def _session(self) -> ftplib.FTP:
        if self._client is None:
            client = ftplib.FTP()
            try:
                client.connect("127.0.0.1", self._port, timeout=20)
                client.login("porch", PASSWORD)
            except (OSError, EOFError, ftplib.Error):
                client.close()
                raise
            self._client = client
        return self._client

    def _end(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None


@dataclass
class Storm:
    """One run of it. ``starred`` are files as they were when their owner gave them a star."""

    google: SimulatedGoogle
    folder: Path
    nursery: Nursery
    number: int
    kills: int = 0
    starred: dict[str, File] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(SEED)
        self._before = {file.id for _, file in self.google.live()}
        self.system: System = Forked(self.folder, self._tree(), self.nursery)
        log_in(self.system.settings, self.google.port)
        self.feed = DatedFeed(self.number, self.system.ftp_port, Pictures(SEED))

    def _tree(self) -> Mapping[str, Any]:
        google = {"api": self.google.url, "sees": "all", "timeout_s": 4.0}
        return {
            "cameras": {"porch": {"ftp": {"password": PASSWORD, "timezone": "UTC"}}},
            "drive": {"archive": "google", "timezone": "UTC", "google": google},
            "scheduler": {"reconcile_s": 0.3, "grace_s": 2.0},
            "work": {"first_retry_s": 0.3, "stop_grace_s": 2.0},
            "intake": {"reserve_fraction": 0.0},
        }

    def play(self, kills: int, patience_s: float) -> None:
        """Let pictures in while calls fail, and kill the process so often; over when all are in and
        filed. Raises AssertionError when patience ends."""
        self.google.tree.lag = LAG_S
        self.google.storm(RATE, SEED, *PASSING, "damaged")
        self.feed.start()
        deadline = time.monotonic() + patience_s
        while self.feed.is_alive() or not is_drained(self.system, self.feed):
            if time.monotonic() > deadline:
                raise AssertionError(f"after {patience_s} s: {self.told()}")
            if self.kills < kills:
                self._short_life(self.number // (kills + 1))
            else:
                self._life(deadline)
        self.feed.join()
        self.google.calm()

    def _short_life(self, pictures: int) -> None:
        """The process lives until about so many pictures more are filed; it dies at a failpoint, if
        it reaches that before, or where it happens to be."""
        point = f"{self._random.choice(POINTS)}:{self._random.randint(1, 2 * pictures)}:kill"
        until = min(self._files() + pictures, self.number)
        self.system.start("allinone", env={"FAILPOINT": point}, wait=False)
        while self.system.running() and self._files() < until:
            self._pass()
        self.kills += 1
        self.system.kill("allinone")

    def _life(self, deadline: float) -> None:
        """The process lives until all is done."""
        self.system.start("allinone", wait=False)
        while time.monotonic() < deadline:
            self._pass()
            if not self.feed.is_alive() and is_drained(self.system, self.feed):
                break
        self.system.stop("allinone")

    def _pass(self) -> None:
        self._star()
        time.sleep(0.2)

    def _files(self) -> int:
        with self.google.lock:
            return len(self.google.tree.every())

    def _star(self) -> None:
        """The owner likes a picture now and then."""
        if len(self.starred) * 50 < self._files():
            live = [file for _, file in self.live() if file.sha256 in self.feed.sent]
            if not live:
                return
            file = self.google.star(self._random.choice(live).id)
            self.starred[file.id] = file

    def live(self) -> list[tuple[str, File]]:
        """The pictures that were filed by this storm, each with its path."""
        return [
            (path, file)
            for path, file in self.google.live()
            if file.mime == "image/jpeg" and file.id not in self._before
        ]

    def folders(self) -> Counter[str]:
        """How often there is a folder of each path."""
        return Counter(
            self.google.path(file)
            for file in self.google.tree.every()
            if file.is_folder and not self.google.tree.is_trashed(file)
        )

    def filed(self) -> set[tuple[str, str, str, str]]:
        """What the journal says: hash and state of each picture, its path and id in Drive."""
        query = text(
            "select s.sha256, s.state, f.path, f.key from snapshots s "
            "join filings f on f.snapshot_id = s.id"
        )
        with closing(journal_of(self.system)) as journal, journal.audit._database.reading() as link:
            return {tuple(row) for row in link.execute(query)}

    def is_verified(self) -> bool:
        """Whether the product's own check of every byte finds no difference in these days."""
        asked = ["--config", str(self.system.config), "--from", f"{self.feed.first:%F}"]
        command = [sys.executable, "-m", "services.drive", "verify", "--level", "hashes", *asked]
        return subprocess.run(command, cwd=ROOT, timeout=1000, check=False).returncode == 0

    def arrange(self) -> bool:
        """Let the archiver finish what was begun in any of the process' lives."""
        return arrange.main(["--config", str(self.system.config)]) == arrange.FINE

    def told(self) -> str:
        """What happened, in one line."""
        faults = ", ".join(f"{count} {name}" for name, count in self.google.faults.happened.items())
        return (
            f"{len(self.feed.acknowledged)} taken, {len(self.live())} live, {self.kills} kills, "
            f"{sum(self.google.faults.happened.values())} faults ({faults}), "
            f"{len(self.starred)} starred, {sum(self.google.calls.values())} calls"
        )

    def close(self) -> None:
        self.feed.halt()
        self.system.close()
