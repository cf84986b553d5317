"""`task fuzz`: every target for its share of the minutes; status 1 when something was found."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.run import again, fuzz, keep
from tests.fuzz.targets import TARGETS

FOUND = Path(".fuzz")


def main() -> int:
    parser = argparse.ArgumentParser(prog="task fuzz")
    parser.add_argument("targets", nargs="*", metavar="target", help=", ".join(TARGETS))
    parser.add_argument("--minutes", type=float, default=10, help="for all of them together")
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    parser.add_argument("--again", type=Path, metavar="FILE", help="an input that was found")
    chosen = parser.parse_args()
    if unknown := set(chosen.targets) - set(TARGETS):
        parser.error(f"no target {', '.join(sorted(unknown))}")
    if chosen.again:
        target = chosen.again.name.partition("-")[0]
        with tempfile.TemporaryDirectory() as folder:
            error = again(target, chosen.again.read_bytes(), Path(folder))
        _say(error or "it is answered as it should be")
        return bool(error)
    seed = chosen.seed or time.time_ns() % 2**32
    targets = chosen.targets or list(TARGETS)
    found = 0
    for target in targets:
        with tempfile.TemporaryDirectory() as folder:
            share = 60 * chosen.minutes / len(targets)
            tried, finding = fuzz(target, share, seed, Path(folder))
        _say(f"{target}: {tried} inputs of seed {seed}, {'one found' if finding else 'all well'}")
        if finding:
            found += 1
            _say(f"  {finding.error}\n  kept as {keep(finding, FOUND)}")
    return bool(found)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
