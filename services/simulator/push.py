"""A simulated camera that pushes by FTP, with the habits of a make (uploads.py); a Foscam unless it
is told otherwise.

What the server didn't acknowledge is sent again, under the same name, for ever, with pauses.
"""

from __future__ import annotations

import ftplib
import io
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from services.simulator.demo import Account
from services.simulator.pictures import Pictures
from services.simulator.uploads import FOSCAM, Habit
from shared.backoff import pause_s
from shared.events import now

log = logging.getLogger(__name__)

TIMEOUT_S = 20.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


class CameraFtp(ftplib.FTP):
    """The FTP of one camera: its own order of commands, and no more patience than it has."""

    def __init__(self, habit: Habit) -> None:
        super().__init__(timeout=TIMEOUT_S, encoding="utf-8")
        self._habit = habit

    def putline(self, line: str) -> None:
        if self._habit.lower_case:
            word, blank, rest = line.partition(" ")
            line = word.lower() + blank + rest
        super().putline(line)

    def makepasv(self) -> tuple[str, int]:
        if not self._habit.extended:
            return super().makepasv()
        peer = self.sock.getpeername() if self.sock else ()
        return ftplib.parse229(self.sendcmd("EPSV"), peer)  # noqa: S321  it is what cameras speak

    def upload(self, path: str, picture: bytes) -> None:
        """Send one picture. Raises ftplib.Error, OSError, EOFError."""
        name = self._enter(path)
        for command in self._habit.before:
            answer = self.sendcmd(command.format(size=len(picture)))
            if self._habit.insists and not answer.startswith(self._habit.insists):
                raise ftplib.error_proto(answer)  # noqa: S321
        with self.transfercmd(f"STOR {name}{self._habit.temporary}") as data:
            data.sendall(picture)
        self.voidresp()
        if self._habit.temporary:
            self.rename(name + self._habit.temporary, name)

    def press_test_button(self, path: str) -> None:
        """Do what the test button of its page does."""
        folder = path.rpartition("/")[0]
        for probe in self._habit.probes:
            name = self._enter(f"{folder}/{probe}".lstrip("/"))
            self.storbinary(f"STOR {name}", io.BytesIO())
            with suppress(ftplib.error_perm):  # what a server did not keep can't be deleted
                self.delete(name)

    def _enter(self, path: str) -> str:
        """Make the folders of a path; what to call its file then."""
        *folders, name = path.split("/")
        if self._habit.folders == "path" or not folders:
            return path
        self.cwd("/")
        steps = folders if self._habit.folders == "step" else ["/".join(folders)]
        for folder in steps:
            with suppress(ftplib.error_perm):  # it may be there; a camera doesn't look
                self.mkd(folder)
            self.cwd(folder)
        return name


class FtpPusher:
    """Pushes a picture every ``every_s`` seconds until stopped."""

    name = "simulated-ftp"

    def __init__(
        self,
        address: tuple[str, int],
        account: Account,
        pictures: Pictures,
        every_s: float,
        clock: Callable[[], datetime] = now,
        habit: Habit = FOSCAM,
    ) -> None:
        self._address = address
        self._account = account
        self._pictures = pictures
        self._every_s = every_s
        self._clock = clock
        self._habit = habit
        self.pushed = 0
        self.failures_in_a_row = 0
        self.last_error = ""

    def run(self, stop: threading.Event) -> None:
        """Push until ``stop`` is set."""
        while not stop.is_set():
            # In local time, as cameras do.
            path = self._habit.path_at(self._clock().astimezone(), self.pushed)
            self._deliver(path, self._pictures.next(), stop)
            stop.wait(self._every_s)

    def _deliver(self, path: str, picture: bytes, stop: threading.Event) -> None:
        """Send one picture until it is acknowledged."""
        while not stop.is_set():
            try:
                self._push(path, picture)
            except (ftplib.Error, OSError, EOFError) as error:
                self._failed(error)
                stop.wait(pause_s(self.failures_in_a_row, FIRST_PAUSE_S, LONGEST_PAUSE_S))
                continue
            self.pushed += 1
            self.failures_in_a_row = 0
            return

    def _push(self, path: str, picture: bytes) -> None:
        with CameraFtp(self._habit) as ftp:
            ftp.connect(*self._address)
            ftp.login(self._account.username, self._account.password)
            ftp.upload(path, picture)

    def _failed(self, error: Exception) -> None:
        self.failures_in_a_row += 1
        self.last_error = str(error) or type(error).__name__
        if self.failures_in_a_row == 1:
            log.info(
                "the simulated camera can't push to %s:%d yet: %s",
                *self._address,
                self.last_error,
                extra={"action": "simulated_push_failed"},
            )
