"""Programs that guess passwords by FTP, as hydra does: many connections, three words on each."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.ftpdoor import PASSWORD, Raw


@dataclass
class Guessers:
    """What they were answered."""

    account: str
    port: int
    words: Iterator[int] = field(default_factory=itertools.count)
    stop: threading.Event = field(default_factory=threading.Event)
    found: int = 0
    _links: set[socket.socket] = field(default_factory=set)

    def end(self) -> None:
        """Guess no more, and wait for no answer."""
        self.stop.set()
        for link in list(self._links):
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def guess_from(self, address: str) -> None:
        """Guess from this address until stopped."""
        while not self.stop.is_set():
            try:
                self._connect(address)
            except (OSError, ValueError):
                time.sleep(0.05)

    def _connect(self, address: str) -> None:
        link = socket.create_connection(
            ("127.0.0.1", self.port), timeout=30, source_address=(address, 0)
        )
        self._links.add(link)
        with link, link.makefile("rb") as answers:
            answers.readline()
            for _ in range(3):
                link.sendall(
                    b"USER %b\r\nPASS word-%d\r\n" % (self.account.encode(), next(self.words))
                )
                answers.readline()
                code = answers.readline()[:3]
                self.found += code == b"230"
                if code != b"530" or self.stop.is_set():
                    return


@contextmanager
def guessing(port: int, account: str, addresses: Sequence[str]) -> Iterator[Guessers]:
    """Somebody guesses meanwhile, with one connection of each of these at a time."""
    guessers = Guessers(account, port)
    threads = [
        threading.Thread(target=guessers.guess_from, args=(address,), daemon=True)
        for address in addresses
    ]
    for thread in threads:
        thread.start()
    try:
        yield guessers
    finally:
        guessers.end()
        for thread in threads:
            thread.join(10)


def logs_in_every_second(port: int, seconds: float) -> list[float]:
    """How long each login of the camera took, from 127.0.0.1. Raises when it is refused."""
    took = []
    end = time.monotonic() + seconds
    while (start := time.monotonic()) < end:
        with Raw(port) as camera:
            assert camera.greeting.startswith("220"), camera.greeting
            assert camera.ask("USER porch").startswith("331")
            answer = camera.ask(f"PASS {PASSWORD}")
            assert answer.startswith("230"), answer
            assert camera.ask("QUIT").startswith("221")
        took.append(time.monotonic() - start)
        time.sleep(max(start + 1 - time.monotonic(), 0))
    return took
