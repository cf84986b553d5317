"""The naive design as two processes: started, waited for, and missed at once when one ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pika

from tests.bench import naive
from tests.bench.traffic import Heard, listens
from tests.support.fakes import eventually
from tests.support.ports import free_port
from tests.support.yolo import environment

START_SECONDS = 120
"""So long torch may take to be imported by a busy machine."""


class Ended(Exception):
    """A process that was to run ended; the text is the end of what it said."""


class Naive:
    """FTP and detector, started. ``python`` is one that has ultralytics. Close it at the end."""

    def __init__(self, folder: Path, url: str, weights: Path, python: Path) -> None:
        self._folder, self._url = folder, url
        self.port = free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "inbox").mkdir(parents=True)
        channel = naive.channel_to(url)  # what the first of the two would lack
        env = {**environment(python), "YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}
        self._start("ftp", Path(sys.executable), env, str(folder / "inbox"), str(self.port))
        self._start("detector", python, env, str(weights))
        try:
            eventually(lambda: self._serves(channel), timeout=START_SECONDS, message="it serves")
        except BaseException:
            self.close()
            raise
        finally:
            channel.connection.close()

    def _start(self, role: str, python: Path, env: Mapping[str, str], *words: str) -> None:
        # -P: beside naive.py lie modules with names of the standard library.
        command = [str(python), "-P", "-W", "ignore", str(naive.__file__), role, self._url, *words]
        with self._output(role).open("wb") as output:
            self._processes[role] = subprocess.Popen(command, env=env, stdout=output, stderr=output)

    def _output(self, role: str) -> Path:
        return self._folder / f"{role}.log"

    def _serves(self, channel: pika.adapters.blocking_connection.BlockingChannel) -> bool:
        self.check()
        queue = channel.queue_declare(naive.TAKEN, passive=True)
        return queue.method.consumer_count > 0 and listens(self.port)

    def check(self) -> None:
        """Raise Ended when one of them does not run."""
        for role, process in self._processes.items():
            if process.poll() is not None:
                told = self._output(role).read_text(errors="replace")[-2000:]
                raise Ended(f"the naive {role} ended with status {process.returncode}: {told}")

    def close(self) -> None:
        """Kill both."""
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()


class NaiveHeard(Heard):
    """Counts what the naive detector announces; Ended, instead of a long wait, without it."""

    def __init__(self, naive_design: Naive, url: str) -> None:
        self._naive = naive_design
        super().__init__(url, naive.EXCHANGE, naive.ANALYZED)

    def count(self) -> int:
        self._naive.check()
        return super().count()
