"""Row 8: pictures a second by HTTP, raw; against a bare FastAPI app with as many syncs and a row.

Run it alone with `python -m tests.bench.http`.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.bench.cost import processor_s, spent, told
from tests.bench.ftp import Process
from tests.bench.results import Row, ratios, say

ROUNDS = 5
CLIENTS, FILES = 8, 320


def run() -> Iterator[Row]:
    """One row."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="bench-http-"))
        stack.callback(shutil.rmtree, folder)
        cameras = Process("tests.bench.http_cameras")
        stack.callback(cameras.close)
        where, pids = {}, {}
        for kind in ("product", "bare", "least"):
            (folder / kind).mkdir()
            server = Process("tests.bench.http_server", kind, str(folder / kind))
            stack.callback(server.close)
            where[kind], pids[kind] = server.read().strip(), server.pid
        numbers = itertools.count(0, 10_000)

        def pushed(kind: str) -> float:
            order = f"{where[kind]} {CLIENTS} {FILES} {next(numbers)}"
            return float(cameras.ask(order)) / FILES

        for kind in where:  # warm up
            pushed(kind)
        before = {kind: processor_s(pid) for kind, pid in pids.items()}
        # The baseline of ``ratios`` is the product, so its ratios are turned over.
        compared = ratios(*(partial(pushed, kind) for kind in where), rounds=ROUNDS)
        after = {kind: processor_s(pid) for kind, pid in pids.items()}
        cost = spent(before, after, ROUNDS * FILES)
        (bare_by_us, ours, bare), (least_by_us, _, least) = compared
        yield Row(
            8,
            f"HTTP ingest, raw, {CLIENTS} cameras",
            1 / bare_by_us,
            target=1.2,
            gate=1.0,
            detail=f"bare FastAPI with the same syncs and a row {1 / bare:.0f}/s; "
            f"ours {1 / ours:.0f}/s; bare with check and hash {1 / least:.0f}/s "
            f"({1 / least_by_us:.2f}); processor ms a picture: {told(cost)}",
        )


if __name__ == "__main__":
    for row in run():
        say(f"{row.measure}: {row.ratio:.2f} ({row.detail})")
