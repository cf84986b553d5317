"""Row 7: pictures a second by FTP with a login for each; against the FTP library alone.

The library answers when the bytes are in the page cache; the product when the picture is checked,
hashed, synced to disk and in the journal. What the syncs alone cost shows the second row; what the
rate of the least that the promise asks for says of both targets stands beside them. Run it alone
with `python -m tests.bench.ftp`.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.bench.cost import processor_s, spent, told
from tests.bench.results import Row, ratios, say

ROUNDS = 5
FILES = {8: 240, 64: 384}


class Process:
    """A helper process that answers line by line."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def read(self) -> str:
        assert self._process.stdout
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self._arguments} ended")
        return answer

    def ask(self, line: str) -> str:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self.read()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            pipe.close()


def run() -> Iterator[Row]:
    """One row for each number of cameras."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="bench-ftp-"))
        stack.callback(shutil.rmtree, folder)
        cameras = Process("tests.bench.ftp_cameras")
        stack.callback(cameras.close)
        ports, pids = {}, {}
        for kind in ("bare", "synced", "least", "product"):
            (folder / kind).mkdir()
            server = Process("tests.bench.ftp_server", kind, str(folder / kind))
            stack.callback(server.close)
            ports[kind], pids[kind] = int(server.read()), server.pid
        numbers = itertools.count(0, 10_000)

        def pushed(kind: str, clients: int) -> float:
            order = f"{ports[kind]} {clients} {FILES[clients]} {next(numbers)}"
            return float(cameras.ask(order)) / FILES[clients]

        for clients in FILES:
            for kind in ports:  # warm up
                pushed(kind, clients)
            before = {kind: processor_s(pid) for kind, pid in pids.items()}
            # The baseline of ``ratios`` is the product, so its ratios are turned over.
            compared = ratios(
                *(
                    partial(pushed, kind, clients)
                    for kind in ("product", "bare", "synced", "least")
                ),
                rounds=ROUNDS,
            )
            after = {kind: processor_s(pid) for kind, pid in pids.items()}
            # Each ran once a round.
            cost = spent(before, after, ROUNDS * FILES[clients])
            (bare_by_us, ours, bare), (synced_by_us, _, synced), (least_by_us, _, least) = compared
            yield Row(
                7,
                f"FTP ingest, login per file, {clients} cameras",
                1 / bare_by_us,
                target=0.5,
                gate=0.4,
                detail=f"library alone {1 / bare:.0f}/s; stored and journalled {1 / ours:.0f}/s; "
                f"processor ms a picture: {told(cost)}",
            )
            yield Row(
                7,
                f"the same, beside the library with as many syncs, {clients} cameras",
                1 / synced_by_us,
                target=1.2,
                gate=1.0,
                detail=f"synced and committed in its loop {1 / synced:.0f}/s; with check and hash "
                f"{1 / least:.0f}/s, {least_by_us / bare_by_us:.2f} of the library alone",
            )


if __name__ == "__main__":
    for row in run():
        say(f"{row.measure}: {row.ratio:.2f} ({row.detail})")
