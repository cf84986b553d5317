"""A simulated camera that pushes by FTP as a Foscam does: a chain of MKD, then one whole STOR.

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
from shared.backoff import pause_s
from shared.events import now

log = logging.getLogger(__name__)

FOLDERS = ("FI9821W_C4D6553CA13C", "snap")
TIMEOUT_S = 20.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


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
    ) -> None:
        self._address = address
        self._account = account
        self._pictures = pictures
        self._every_s = every_s
        self._clock = clock
        self.pushed = 0
        self.failures_in_a_row = 0
        self.last_error = ""

    def run(self, stop: threading.Event) -> None:
        """Push until ``stop`` is set."""
        while not stop.is_set():
            self._deliver(file_name(self._clock()), self._pictures.next(), stop)
            stop.wait(self._every_s)

    def _deliver(self, name: str, picture: bytes, stop: threading.Event) -> None:
        """Send one picture until it is acknowledged."""
        while not stop.is_set():
            try:
                self._push(name, picture)
            except (ftplib.Error, OSError, EOFError) as error:
                self._failed(error)
                stop.wait(pause_s(self.failures_in_a_row, FIRST_PAUSE_S, LONGEST_PAUSE_S))
                continue
            self.pushed += 1
            self.failures_in_a_row = 0
            return

    def _push(self, name: str, picture: bytes) -> None:
        with ftplib.FTP(timeout=TIMEOUT_S) as ftp:  # noqa: S321  it is what cameras speak
            ftp.connect(*self._address)
            ftp.login(self._account.username, self._account.password)
            for folder in FOLDERS:
                with suppress(ftplib.error_perm):  # it may be there; a camera doesn't look
                    ftp.mkd(folder)
                ftp.cwd(folder)
            ftp.storbinary(f"STOR {name}", io.BytesIO(picture))

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


def file_name(time: datetime) -> str:
    """What a Foscam calls a picture taken because something moved; in local time, as cameras do."""
    return f"MDAlarm_{time.astimezone():%Y%m%d-%H%M%S}.jpg"
