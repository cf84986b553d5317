"""The private servers, with the ways of dying that only chaos needs."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal

from tests.support.postgres import PostgresServer
from tests.support.rabbit import RabbitServer
from tests.support.servers import family, kill_group


class Broker(RabbitServer):
    """RabbitMQ that crashes without a last word."""

    def crash(self) -> None:
        """kill -9; unlike ``kill``, nothing is written before."""
        kill_group(self._process)
        self._process = None

    def wipe(self) -> None:
        """Crash, and lose the volume."""
        self.crash()
        shutil.rmtree(self.root / "data", ignore_errors=True)

    def alarm(self, resource: str, *, on: bool) -> None:
        """Raise or end the alarm of "memory" or "disk"."""
        if resource == "memory":
            self.ctl("set_vm_memory_high_watermark", "0.00001" if on else "0.6")
        else:
            self.ctl("set_disk_free_limit", "900000GB" if on else "20MB")


class Database(PostgresServer):
    """PostgreSQL whose sessions freeze with it: they are in groups of their own."""

    def crash(self) -> None:
        """kill -9 of all its processes."""
        self.kill()

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """End ``pause``."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: int) -> None:
        if self._process is not None:
            for pid in family(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
