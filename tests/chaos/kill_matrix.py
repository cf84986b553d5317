"""The kill matrix: real processes die at every failpoint, and every picture is accounted for.

``python -m tests.chaos.kill_matrix`` plays all rounds on two set-ups at a time: everything in one
process on SQLite, and a process per service on PostgreSQL and RabbitMQ. A round: the process that
has the point starts armed, a camera sends pictures and repeats what was not acknowledged, the
process dies at the n-th hit, starts again, and finishes. Then nothing acknowledged may be lost, no
effect may have happened twice, nothing may be there that nobody sent, and the doctor must be
content at its strictest level. Ends with 1 when any round says otherwise.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from shared.admin.reference import failpoints
from tests.chaos.feeds import Pictures
from tests.chaos.nursery import Nursery
from tests.chaos.stage import Outcome, Round, Stage, stage
from tests.support.postgres import PostgresServer
from tests.support.rabbit import RabbitServer

ONE, MANY = "one process, SQLite", "processes, PostgreSQL, RabbitMQ"
FTP_DOOR = r"store\..*|intake\.(stored|before_record|after_record|announced)|ftp\..*"
ELSEWHERE = ("google.", "http.", "legacy.", "paid.", "store.s3_")
"""Points of tests with a feed of their own: test_<first part>_killed.py, test_paid.py,
test_s3_storm.py."""
RETRYING = "drive.part_written:1+:raise=ENOSPC"
"""The archive is full as long as this process lives: its work is put off, and comes again."""


def points() -> list[str]:
    """The failpoints that the matrix kills at."""
    return [name for name in failpoints() if not name.startswith(ELSEWHERE)]


def rounds_of_one() -> Iterator[Round]:
    """All services in one process: the first, second and third hit of every point."""
    once = {"runtime.prepared", "runtime.subscribed", "drive.prepared"}
    for name in points():
        kind = name.partition(".")[0]
        hits = range(1, 2) if name in once or kind == "manifest" else range(1, 4)
        if kind in ("folder", "camera", "spool", "outbox") or name == "intake.after_spool":
            hits = range(1, 3)
        for hit in hits:
            yield from _round_of_one(name, hit)


def _round_of_one(name: str, hit: int) -> Iterator[Round]:
    process = "allinone"
    match name.split("."):
        case ["folder", "moved" | "before_result" | "result_written"]:
            yield Round(name, hit, process, "shed")
        case ["mail", _]:
            yield Round(name, hit, process, "mail")
        case ["folder", _]:
            yield Round(name, hit, process, "folder")
        case ["camera", _]:
            yield Round(name, hit, process, "asking")
        case ["source", _]:
            if hit < 3:
                yield Round(name, hit, process, "asking")
        case ["scheduler", _]:
            if hit == 1:
                yield Round(name, hit, process, "interval")
        case ["spool", _] | ["intake", "after_spool"]:
            yield Round(name, hit, process, away=True)
        case ["reconciler", "before_drop" | "dropped"]:
            yield Round(name, hit, process, away=True)
        case ["reconciler", "before_publish" | "published"]:
            if hit == 1:
                for first in ("intake.after_record", "worker.acked"):
                    yield Round(name, hit, process, before=((process, f"{first}:2:kill"),))
        case ["reconciler", _]:
            yield Round(name, hit, process, beside=RETRYING)
        case _:
            yield Round(name, hit, process)


def rounds_of_many() -> Iterator[Round]:
    """A process per service: each point in each process that has it."""
    for name in points():
        if re.fullmatch(FTP_DOOR, name) or name == "journal.between_row_and_event":
            yield Round(name, 1, "ftp")
        elif name.startswith("mail."):
            yield Round(name, 1, "mail", "mail")
        elif name in ("folder.moved", "folder.before_result", "folder.result_written"):
            yield Round(name, 1, "folder", "shed")
        elif name.startswith("folder."):
            yield Round(name, 1, "folder", "folder")
        elif name.startswith("drive.") and name != "drive.prepared":
            yield Round(name, 1, "drive")
        elif name.startswith("camera."):
            yield Round(name, 1, "camera", "asking")
        elif name.startswith(("scheduler.", "source.")):
            yield Round(name, 1, "scheduler", "interval")
        elif name.startswith("spool.") or name == "intake.after_spool":
            yield Round(name, 1, "ftp", away=True)
        elif name.startswith("worker."):
            yield Round(name, 1, "detector")
            yield Round(name, 1, "drive")
        elif name.startswith(("bus.", "outbox.")):
            outward = name.startswith("outbox.") or re.search("publish|confirm", name)
            yield Round(name, 1, "ftp" if outward else "drive")
            yield Round(name, 2, "detector")
        elif name in ("journal.before_commit", "journal.after_commit"):
            yield Round(name, 1, "ftp")
            yield Round(name, 1, "drive")
        elif name.startswith("journal."):
            yield Round(name, 1, "detector")
        elif name.startswith("reconciler."):
            yield _reconciler_alone(name)
        else:
            yield Round(name, 1, "drive")  # as it starts


def _reconciler_alone(name: str) -> Round:
    if name in ("reconciler.before_drop", "reconciler.dropped"):
        return Round(name, 1, "scheduler", away=True)
    if name in ("reconciler.before_publish", "reconciler.published"):
        return Round(name, 1, "scheduler", before=(("ftp", "intake.after_record:1:kill"),))
    return Round(name, 1, "scheduler", before=(("drive", f"{RETRYING},worker.published:2:kill"),))


def play(
    on: Stage, rounds: Sequence[Round], note: Callable[[Stage, Outcome], None]
) -> list[Outcome]:
    """Play rounds one after the other."""
    outcomes = []
    for one in rounds:
        outcomes.append(on.play(one))
        note(on, outcomes[-1])
    return outcomes


def told(on: Stage, outcome: Outcome) -> None:
    """One line per round, while it runs."""
    one, sums = outcome.round, outcome.account
    state = "killed" if outcome.reached else "NOT REACHED"
    if not sums.clean:
        state += f" RED lost={sums.lost} twice={sums.twice} "
        state += f"unexpected={sums.unexpected} doctor={sums.findings}"
    sys.stdout.write(
        f"{on.name}: {one.process} {one.point}:{one.hit} {state} {outcome.seconds:.1f} s, "
        f"recovered in {outcome.recovery_s:.1f} s\n"
    )
    sys.stdout.flush()


def table(results: dict[str, list[Outcome]]) -> str:
    """One row per set-up and kind of point, and the sums."""
    head = (
        "| set-up | points | points × hits killed | not reached | attempted | acknowledged | lost "
        "| duplicate effects | unexpected | doctor | recovery p50 / max |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|"
    )
    rows = [head]
    for name, outcomes in results.items():
        kinds = sorted({one.round.point.partition(".")[0] for one in outcomes})
        for kind in kinds:
            some = [one for one in outcomes if one.round.point.startswith(f"{kind}.")]
            rows.append(_row(name, f"`{kind}.*`", some))
        rows.append(_row(f"**{name}**", "**all**", outcomes))
    everything = [one for outcomes in results.values() for one in outcomes]
    rows.append(_row("**both**", "**all**", everything))
    return "\n".join(rows)


def _row(name: str, points: str, outcomes: Sequence[Outcome]) -> str:
    killed = [one for one in outcomes if one.reached]
    waits = [one.recovery_s for one in killed] or [0.0]
    sums = [one.account for one in killed]
    cells = [
        name,
        f"{points} ({len({one.round.point for one in killed})})",
        len(killed),
        len(outcomes) - len(killed),
        sum(each.attempts for each in sums),
        sum(each.acknowledged for each in sums),
        sum(len(each.lost) for each in sums),
        sum(len(each.twice) for each in sums),
        sum(len(each.unexpected) for each in sums),
        sum(len(each.findings) for each in sums),
        f"{median(waits):.1f} s / {max(waits):.1f} s",
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.kill_matrix", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", default="", help="play only rounds of points that match this")
    parser.add_argument("--on", choices=("one", "many", "both"), default="both")
    parser.add_argument("--keep", type=Path, help="keep logs and data in this folder")
    options = parser.parse_args(arguments)
    folder = options.keep or Path(tempfile.mkdtemp(prefix="snapbus-kill-"))
    began = time.monotonic()
    results = run(folder, options.seed, options.on, re.compile(options.only))
    everything = [one for outcomes in results.values() for one in outcomes]
    clean = all(one.account.clean for one in everything)
    sys.stdout.write(
        f"\nkill matrix, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, seed {options.seed}, "
        f"{(time.monotonic() - began) / 60:.1f} min\n\n{table(results)}\n"
    )
    for one in everything:
        if not one.reached:
            sys.stdout.write(
                f"not reached: {one.round.process} {one.round.point}:{one.round.hit}\n"
            )
    if clean and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if clean else 1


def run(folder: Path, seed: int, on: str, only: re.Pattern[str]) -> dict[str, list[Outcome]]:
    """Play the rounds that match, both set-ups at once; the seed orders them."""
    chance = random.Random(seed)
    results: dict[str, list[Outcome]] = {}
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        nursery = stack.enter_context(closing(Nursery()))
        running = {}
        for name, rounds in ((ONE, list(rounds_of_one())), (MANY, list(rounds_of_many()))):
            chosen = [one for one in rounds if only.search(one.point)]
            if on not in ("both", "one" if name == ONE else "many") or not chosen:
                continue
            chance.shuffle(chosen)
            servers = _servers(stack) if name == MANY else None
            pictures = Pictures(chance.randrange(10**9))
            place = folder / ("one" if name == ONE else "many")
            ready = stack.enter_context(closing(stage(name, place, nursery, pictures, servers)))
            running[name] = pool.submit(play, ready, chosen, told)
        for name, future in running.items():
            results[name] = future.result()
    return results


def _servers(stack: ExitStack) -> tuple[RabbitServer, PostgresServer]:
    rabbit = stack.enter_context(closing(RabbitServer()))
    postgres = stack.enter_context(closing(PostgresServer()))
    rabbit.start()
    postgres.start()
    return rabbit, postgres


if __name__ == "__main__":
    sys.exit(main())
