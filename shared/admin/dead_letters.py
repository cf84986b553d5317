"""Unfinished and dead work for operators.

``python -m shared.admin.dead_letters list`` shows it, ``… replay`` makes it due again.
Works beside the running services: it reads and changes the journal only. The reconciler delivers
within seconds what is made due here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.admin.table import table
from shared.errors import ConfigError, SnapbusError
from shared.events import now
from shared.journal import Journal
from shared.journal.queries.recovery import WorkItem
from shared.settings import load
from shared.text import one_line

COLUMNS = ("service", "status", "attempts", "due", "since", "snapshot", "event", "error")
ERROR_CHARACTERS = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status; 2 when the configuration or the journal can't be used."""
    options = _parser().parse_args(arguments)
    try:
        journal = Journal.open(load(options.config).journal_url, owner=False)
    except SnapbusError as error:
        sys.stderr.write(f"work: {error}\n")
        return 2
    try:
        told = _list(journal, options) if options.what == "list" else _replay(journal, options)
    except SnapbusError as error:
        sys.stderr.write(f"work: {error}\n")
        return 2
    finally:
        journal.close()
    sys.stdout.write(told)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m shared.admin.dead_letters", description=__doc__
    )
    parser.add_argument("--config", type=Path, help="the YAML file (default: config/snapbus.yml)")
    subs = parser.add_subparsers(dest="what", required=True)
    listing = subs.add_parser("list", help="what is not done, the latest change first")
    listing.add_argument("--dead", action="store_true", help="only what was given up")
    listing.add_argument("--limit", type=int, default=100)
    replay = subs.add_parser(
        "replay", help="try work again now that is dead or waits for its next attempt"
    )
    replay.add_argument("--all", action="store_true", help="everything of it")
    replay.add_argument("--service", default="", help="that of this service")
    replay.add_argument("--event", default="", help="this event")
    replay.add_argument("--snapshot", default="", help="all of this snapshot")
    return parser


def _list(journal: Journal, options: argparse.Namespace) -> str:
    status = ("dead",) if options.dead else ("retry", "dead", "tried")
    items = journal.recovery.items(status, options.limit)
    if not items:
        return "nothing is unfinished\n"
    return table(COLUMNS, [_row(item) for item in items])


def _row(item: WorkItem) -> tuple[str, ...]:
    # What cameras and servers said is in the error.
    due = f"{item.next_attempt_at:%Y-%m-%d %H:%M:%SZ}" if item.next_attempt_at else "-"
    return (
        item.service,
        item.status,
        str(item.attempts),
        due,
        _age((now() - item.updated_at).total_seconds()),
        item.event.snapshot_id or "-",
        item.event.id,
        one_line(item.error, ERROR_CHARACTERS),
    )


def _age(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def _replay(journal: Journal, options: argparse.Namespace) -> str:
    if not (options.all or options.service or options.event or options.snapshot):
        raise ConfigError("say what to replay: --service, --event, --snapshot, or --all")
    count = journal.recovery.replay(options.service, options.event, options.snapshot)
    return f"{count} {'event is' if count == 1 else 'events are'} due now\n"


if __name__ == "__main__":
    sys.exit(main())
