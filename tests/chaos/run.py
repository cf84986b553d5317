"""A chaos run: load, faults one after another, healing, draining, and the account.

``python -m tests.chaos.run --minutes 30 --setup rabbit --seed 7``; exit status 1 when a picture
was lost, an effect happened twice, or anything is there that nobody sent. The same seed brings
the same faults in the same order.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ulid import ULID

from tests.chaos.ledger import Ledger, Pictures
from tests.chaos.load import FolderWriter, FtpCamera, Load, Sender, time_until
from tests.chaos.nemeses import Nemesis, nemeses
from tests.chaos.report import table
from tests.chaos.setups import CAMERAS, SETUPS, Stage
from tests.chaos.tally import Account, settle

RECOVERY_S = 120.0
DRAIN_S = 240.0
FTP_EVERY_S = 0.5
FOLDER_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run. ``hold_s`` is how long a fault lasts, from and to, ``calm_s``
    the time before it; ``only`` names a part of
    the kinds of nemesis wanted, None means no fault at all."""

    setup: str
    minutes: float
    seed: int
    hold_s: tuple[float, float] = (3.0, 10.0)
    calm_s: tuple[float, float] = (1.0, 5.0)
    only: str | None = ""


class Run:
    """One run of a plan. ``account`` may be asked again after something was tampered with."""

    def __init__(self, plan: Plan, tell: Callable[[str], None] = lambda text: None) -> None:
        self._plan = plan
        self._tell = tell
        self._random = random.Random(plan.seed)
        self.ledger = Ledger()
        self._pictures = Pictures(plan.seed)
        self.stage = Stage(plan.setup, plan.minutes, self._pictures)
        self._result = Account()
        self._before = ""

    def run(self) -> Account:
        """The whole of it; the set-up stands until ``close``."""
        self.stage.start()
        self._probe = self._camera("probe", 1.0)
        load = Load(self._senders())
        load.start()
        self._tell(f"{self._plan} begins")
        try:
            self._faults(time.monotonic() + self._plan.minutes * 60)
        finally:
            self._tell("healed; draining")
            load.finish(DRAIN_S)
        self._before = str(ULID.from_datetime(datetime.now(UTC)))
        drained = time_until(lambda: not self.stage.rows.open_work(), DRAIN_S, 0.5)
        if drained is None:
            self._result.unexpected.append(f"not drained: {self.stage.rows.open_work()}")
        self._tell(f"drained in {drained} s; accounting")
        return self.account()

    def _camera(self, name: str, every_s: float) -> FtpCamera:
        port = self.stage.system.ftp_port
        return FtpCamera(name, self.ledger, self._pictures, every_s, port)

    def _senders(self) -> list[Sender]:
        cameras = [self._camera(name, FTP_EVERY_S) for name in CAMERAS if name != "probe"]
        writer = FolderWriter(
            "inbox", self.ledger, self._pictures, FOLDER_EVERY_S, self.stage.inbox
        )
        return [*cameras, writer]

    def _faults(self, until: float) -> None:
        if self._plan.only is None:
            time.sleep(max(0.0, until - time.monotonic()))
            return
        known = [each for each in nemeses(self.stage) if self._plan.only in each.kind]
        deck: list[Nemesis] = []
        while True:
            deck = deck or self._random.sample(known, len(known))
            nemesis, hold_s = deck.pop(), self._random.uniform(*self._plan.hold_s)
            calm_s = self._random.uniform(*self._plan.calm_s)
            if time.monotonic() + calm_s + hold_s > until:
                return
            time.sleep(calm_s)
            self._strike(nemesis, hold_s)

    def _strike(self, nemesis: Nemesis, hold_s: float) -> None:
        try:
            nemesis.inject()
            time.sleep(hold_s if nemesis.lasts else 0.0)
        except (OSError, RuntimeError, AssertionError) as error:
            self._tell(f"{nemesis.kind} of {nemesis.victim} could not begin: {error}")
            return
        finally:
            nemesis.heal()
        took_s = self._recovery()
        label = f"{nemesis.kind} {nemesis.victim} {hold_s if nemesis.lasts else 0:.1f} s"
        if took_s is None:
            self._result.unexpected.append(f"no recovery within {RECOVERY_S} s of {label}")
        self._result.recoveries[nemesis.kind].append(RECOVERY_S if took_s is None else took_s)
        self._tell(f"{label}: recovered in {took_s} s; {len(self.ledger.acknowledged)} taken")

    def _recovery(self) -> float | None:
        """Seconds until a fresh picture is acknowledged and archived."""
        began = time.monotonic()
        data = self._pictures.next()
        sha256 = self.ledger.attempt(data)
        name = f"probe_{sha256[:12]}_{time.strftime('%Y%m%d%H%M%S', time.gmtime())}.jpg"
        while (answer := self._probe.send(name, data)) != "acknowledged":
            self.ledger.answer(sha256, answer)
            if time.monotonic() - began > RECOVERY_S:
                return None
            time.sleep(0.2)
        self.ledger.answer(sha256, answer)
        left_s = RECOVERY_S - (time.monotonic() - began)
        if time_until(lambda: self.stage.rows.archived(sha256), left_s) is None:
            return None
        return round(time.monotonic() - began, 2)

    def account(self) -> Account:
        """Compare what the senders know with what is there."""
        kept = list(self._result.unexpected)
        fresh = Account(unexpected=kept, recoveries=self._result.recoveries)
        fresh.duplicate_deliveries = int(self.stage.scrape())
        system = self.stage.system
        settle(
            fresh,
            self.ledger,
            self.stage.rows,
            system.settings.store_root,
            system.archive,
            self._before,
        )
        if findings := self.stage.doctor():
            fresh.unexpected.append(f"doctor: {findings}")
        return fresh

    def close(self) -> None:
        self.stage.close()


def main() -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.run", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--setup", choices=SETUPS, default="rabbit")
    parser.add_argument("--seed", type=int, default=None, help="default: another each time")
    parser.add_argument("--only", default="", help="kinds of nemesis that contain this")
    parser.add_argument("--logs", type=Path, help="folder for the logs of the services")
    options = parser.parse_args()
    seed = random.randrange(10**6) if options.seed is None else options.seed
    plan = Plan(options.setup, options.minutes, seed, only=options.only)

    def tell(text: str) -> None:
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that disks and servers are removed
    with contextlib.closing(Run(plan, tell)) as run:
        account = run.run()
        sys.stdout.write(table(account, plan.setup, plan.minutes, plan.seed))
        if options.logs:
            run.stage.keep_logs(options.logs)
    return 0 if account.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
