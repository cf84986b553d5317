"""`task bench`: runs every measurement of this folder, or those named, and prints one table.

    python -m tests.bench [decode detector …] [--gate]

A measurement is a module with ``run() -> Iterable[Row]``. ``--gate`` ends with status 1 when a
ratio misses what even a noisy machine must reach.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from tests.bench.results import Row, say, table

MEASUREMENTS = (
    "detector", "footprint", "pipeline", "one_process", "decode", "ftp", "http", "publish", "rest",
    "archive",
)  # fmt: skip
"""Modules of this folder, in the order in which they run."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="task bench")
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(MEASUREMENTS))
    parser.add_argument("--gate", action="store_true", help="fail on a missed gate")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(MEASUREMENTS):
        parser.error(f"no measurement {', '.join(sorted(unknown))}")
    rows: list[Row] = []
    say(f"load average before: {_load()}")
    for name in chosen.names or MEASUREMENTS:
        say(f"measuring {name} …")
        rows += import_module(f"tests.bench.{name}").run()
    say(f"load average after: {_load()}\n")
    say(table(sorted(rows, key=lambda row: row.number)))
    missed = any(row.verdict == "MISSED" for row in rows)
    return 1 if chosen.gate and missed else 0


def _load() -> str:
    return ", ".join(f"{value:.2f}" for value in os.getloadavg()) + f" on {os.cpu_count()} cores"


if __name__ == "__main__":
    sys.exit(main())
