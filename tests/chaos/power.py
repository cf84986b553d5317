"""Cuts the power of a writer again and again, and counts what was acknowledged and is lost.

``python -m tests.chaos.power --rounds 20 --setup sqlite|postgres|rabbit [--control NAME]``, as
root. Each round goes on with what the last one left on the disk. Exit status 0 when nothing was
lost or twice; with ``--control``, one safeguard is taken away, and 0 says that this was noticed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.power_rabbit import Broker
from tests.chaos.power_sites import Database, Files, Found, Site
from tests.support.fakes import eventually

ROOT = Path(__file__).parents[2]
LONGEST_S = 2.5
SITES: dict[str, type[Files] | type[Database] | type[Broker]] = {
    "sqlite": Files,
    "postgres": Database,
    "rabbit": Broker,
}
CONTROLS = {
    "no-file-sync": "sqlite",
    "no-folder-sync": "sqlite",
    "no-archive-file-sync": "sqlite",
    "no-archive-folder-sync": "sqlite",
    "synchronous-normal": "sqlite",
    "ack-before-commit": "sqlite",
    "synchronous-commit-off": "postgres",
    "classic-queue": "rabbit",
}
"""By name: the set-up whose safeguard it takes away."""
SLOW = ("no-folder-sync", "no-archive-folder-sync")
"""Seen only while no later sync writes the name."""
FILING = ("", "no-archive-file-sync", "no-archive-folder-sync")
"""With the others pictures are only taken: the archive's syncs would save what the store lost."""


@dataclass(slots=True)
class Account:
    """What became of all rounds of a run."""

    setup: str
    control: str
    seed: int
    slow: bool
    rounds: int = 0
    acknowledged: int = 0
    archived: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    rounds_with_loss: int = 0
    twice: int = 0
    spooled: int = 0
    unacknowledged: int = 0
    doctor: int = 0
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        return not (self.lost or self.twice or self.doctor)

    def add(self, told: list[str], found: Found) -> None:
        archived = sum(line.startswith("archived ") for line in told)
        self.rounds += 1
        self.acknowledged += len(told) - archived
        self.archived += archived
        self.lost += found.lost
        self.rounds_with_loss += bool(found.lost)
        self.twice += found.twice
        self.spooled += found.spooled
        self.unacknowledged += found.more
        self.doctor += len(found.doctor)

    def row(self) -> str:
        """As a row of the table in docs/design/delivery-tables.md."""
        lost = ", ".join(f"{count} {what}" for what, count in sorted(self.lost.items())) or "0"
        cells = (
            self.setup + ", slow" * self.slow, self.control or "–", self.rounds,
            f"{self.acknowledged:,}", f"{self.archived:,}", lost, self.twice, self.doctor,
            self.spooled, f"{self.seconds:.0f} s", self.seed, f"{datetime.now(UTC):%Y-%m-%d}",
        )  # fmt: skip
        return "| " + " | ".join(map(str, cells)) + " |"


class Writer:
    """The process that takes or publishes; ``lines`` are its acknowledgements."""

    def __init__(self, site: Site, seed: int, control: str, slow: bool) -> None:
        command = [sys.executable, "-m", "tests.chaos.power_writer", *site.arguments()]
        command += ["--seed", str(seed), "--control", control, *["--slow"][:slow]]
        command += ["--archive"][: control in FILING]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.decode().strip())

    def begins(self) -> bool:
        """Whether it has acknowledged something."""
        if self.process.poll() is not None:
            raise RuntimeError(f"the writer ended with {self.process.returncode}")
        return bool(self.lines)

    def ended(self) -> list[str]:
        """All it acknowledged, once it is dead."""
        self.process.wait(20)
        self._reader.join(20)
        return self.lines


def run(setup: str, rounds: int, seed: int, control: str, *, slow: bool) -> Account:
    """All rounds, told on standard error."""
    account = Account(setup, control, seed, slow)
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="snapbus-power-") as name,
        contextlib.ExitStack() as end,
    ):
        site = SITES[setup](Path(name), control)
        end.callback(site.close)
        for number in range(rounds):
            chance = random.Random(f"{seed} {number}")
            moment_s = chance.uniform(0.05, LONGEST_S)
            writer = Writer(site, chance.randrange(10**6), control, slow)
            acknowledged, found = _round(site, writer, moment_s)
            account.add(acknowledged, found)
            told = f"{len(acknowledged)} acknowledged, lost {dict(found.lost)}, twice {found.twice}"
            sys.stderr.write(f"round {number + 1}: cut after {moment_s:.2f} s: {told}\n")
            for each in found.doctor[:5]:
                sys.stderr.write(f"    {each}\n")
    account.seconds = time.monotonic() - began
    return account


def _round(site: Site, writer: Writer, moment_s: float) -> tuple[list[str], Found]:
    try:
        eventually(writer.begins, timeout=60, message="the writer acknowledges")
        time.sleep(moment_s)
        site.disk.cut([*site.processes(), writer.process.pid])
    finally:
        writer.process.kill()
    acknowledged = writer.ended()
    return acknowledged, site.look(acknowledged)


def _in_own_mounts(arguments: Sequence[str]) -> None:
    """Go on where our mounts are nobody else's and vanish with us."""
    if os.environ.get("SNAPBUS_POWER_MOUNTS") != "own":
        os.environ["SNAPBUS_POWER_MOUNTS"] = "own"
        command = [sys.executable, "-m", "tests.chaos.power", *arguments]
        os.execvp("unshare", ["unshare", "--mount", *command])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="power", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--setup", choices=SITES, default="sqlite")
    parser.add_argument("--control", choices=CONTROLS, default="")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--slow", action="store_true", help="one camera that takes its time")
    parser.add_argument("--json", action="store_true", help="end with the account as JSON")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("power: only root can mount the disk whose power is cut; run it with sudo")
    _in_own_mounts(sys.argv[1:])
    logging.disable(logging.CRITICAL)  # the account tells it all
    setup = CONTROLS.get(options.control, options.setup)
    sys.stderr.write(f"{setup}, seed {options.seed}\n")
    slow = options.slow or options.control in SLOW
    account = run(setup, options.rounds, options.seed, options.control, slow=slow)
    text = account.row()
    if options.json:
        text = json.dumps(asdict(account) | {"lost": dict(account.lost)})
    sys.stdout.write(f"{text}\n")
    sys.exit(account.clean == bool(options.control))


if __name__ == "__main__":
    main()
