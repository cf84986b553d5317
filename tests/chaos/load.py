"""The senders: cameras that push by FTP, and a program that drops files into a folder.

Like real ones they send a picture again, under its old name, until somebody acknowledges it.
"""

from __future__ import annotations

import ftplib
import io
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.ledger import Ledger, Pictures

TIMEOUT_S = 12.0
RETRY_S = 0.7
UNSOUND_SHARE = 0.02


class Sender(threading.Thread):
    """Sends a picture every ``every_s`` on the average until ``finish``."""

    def __init__(self, name: str, ledger: Ledger, pictures: Pictures, every_s: float) -> None:
        super().__init__(name=name, daemon=True)
        self.ledger = ledger
        self._pictures = pictures
        self._every_s = every_s
        self._random = random.Random(name)
        self._finish = threading.Event()
        self._give_up = threading.Event()

    def run(self) -> None:
        due = time.monotonic() + self._random.uniform(0, self._every_s)
        while not self._finish.wait(max(0.0, due - time.monotonic())):
            # Most of what was missed while nobody answered is not made up for: cameras drop it.
            due = max(due, time.monotonic() - 3) + self._every_s * self._random.uniform(0.5, 1.5)
            data = self._pictures.next()
            sound = self._random.random() >= UNSOUND_SHARE
            self.insist(data if sound else data[: len(data) // 2], sound=sound)

    def insist(self, data: bytes, *, sound: bool = True) -> bool:
        """Send a picture until it is acknowledged; says whether it was before ``give_up``."""
        sha256 = self.ledger.attempt(data, sound=sound)
        name = f"{self.name}_{datetime.now(UTC):%Y%m%d%H%M%S%f}"[:-3] + ".jpg"
        while not self._give_up.is_set():
            answer = self.send(name, data)
            self.ledger.answer(sha256, answer)
            if answer == "acknowledged":
                return True
            if answer == "refused" and not sound:
                return False
            self._give_up.wait(RETRY_S * self._random.uniform(0.5, 1.5))
        return False

    def send(self, name: str, data: bytes) -> str:
        """One try; how it ended, in the ledger's words."""
        raise NotImplementedError

    def finish(self) -> None:
        """Send no new picture; the one at hand is still insisted on."""
        self._finish.set()

    def give_up(self) -> None:
        """Stop insisting."""
        self._finish.set()
        self._give_up.set()


class FtpCamera(Sender):
    """A camera that logs in for each picture."""

    def __init__(
        self, name: str, ledger: Ledger, pictures: Pictures, every_s: float, port: int
    ) -> None:
        super().__init__(name, ledger, pictures, every_s)
        self._port = port

    def send(self, name: str, data: bytes) -> str:
        try:
            ftp = ftplib.FTP(timeout=TIMEOUT_S)
            try:
                ftp.connect("127.0.0.1", self._port)
                ftp.login(self.name, f"{self.name}-pw")
                ftp.storbinary(f"STOR {name}", io.BytesIO(data))
                return "acknowledged"
            finally:
                ftp.close()
        except (ftplib.error_temp, ftplib.error_perm):
            return "refused"
        except (OSError, EOFError, ftplib.Error):
            return "unknown"


class FolderWriter(Sender):
    """A program that renames finished files into a folder; one that is gone was taken."""

    def __init__(
        self, name: str, ledger: Ledger, pictures: Pictures, every_s: float, folder: Path
    ) -> None:
        super().__init__(name, ledger, pictures, every_s)
        self._folder = folder

    def send(self, name: str, data: bytes) -> str:
        target = self._folder / name
        if not target.exists():
            part = target.with_suffix(".part")
            part.write_bytes(data)
            part.rename(target)
        while target.exists():
            if self._give_up.wait(0.05):
                return "unknown"
        return "acknowledged"

    def insist(self, data: bytes, *, sound: bool = True) -> bool:
        # An unsound file is not refused but left where it is, so this door gets sound ones only.
        return super().insist(self._pictures.next() if not sound else data)


class Load:
    """All senders of a run."""

    def __init__(self, senders: list[Sender]) -> None:
        self._senders = senders

    def start(self) -> None:
        for sender in self._senders:
            sender.start()

    def finish(self, timeout_s: float) -> None:
        """Wait until what was begun is acknowledged; after the timeout it is given up."""
        for sender in self._senders:
            sender.finish()
        deadline = time.monotonic() + timeout_s
        for sender in self._senders:
            sender.join(max(0.0, deadline - time.monotonic()))
        for sender in self._senders:
            sender.give_up()
        for sender in self._senders:
            sender.join(TIMEOUT_S + 5)


def time_until(done: Callable[[], bool], timeout_s: float, pause_s: float = 0.1) -> float | None:
    """Seconds until ``done`` says so; None when it did not in time."""
    began = time.monotonic()
    while not done():
        if time.monotonic() - began > timeout_s:
            return None
        time.sleep(pause_s)
    return time.monotonic() - began
