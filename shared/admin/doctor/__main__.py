"""The command line of the doctor; exit status 0 when all is well, 1 when something differs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from shared.admin.doctor import LEVELS, Doctor
from shared.admin.doctor.files import PART_S, Files
from shared.admin.doctor.finding import GRACE_S
from shared.admin.doctor.repair import adopt
from shared.errors import ConfigError, SnapbusError
from shared.journal import Journal
from shared.settings import Settings, load
from shared.store import open_store

SHORTEST_SECRET = 8
"""Shorter ones stand in any text by chance."""
NOT_SEEN = (
    "not seen from here: that confirms came before marks (I5), what senders were told (I1, I14), "
    "memory (I17), a wiped broker (I18) and what organisations see (I15); tests prove those. There "
    "are no devices (I13) yet"
)


def main() -> None:
    """Read the arguments, examine, and say what differs."""
    parser = argparse.ArgumentParser(
        prog="doctor",
        description="Checks store, journal and archive against each other and names every "
        "difference with its remedy. It changes nothing unless told to.",
    )
    parser.add_argument("--config", type=Path)
    parser.add_argument("--level", choices=LEVELS, default="sizes")
    parser.add_argument(
        "--grace", type=float, default=GRACE_S, metavar="SECONDS",
        help="what is younger is taken for being worked on (default %(default)g)",
    )  # fmt: skip
    parser.add_argument("--repair", action="store_true", help="first remove unfinished files")
    parser.add_argument(
        "--adopt", metavar="CAMERA", default="",
        help="first catalogue files that belong to no snapshot as pictures of this camera",
    )  # fmt: skip
    options = parser.parse_args()
    try:
        sys.exit(_examine(load(options.config), options))
    except SnapbusError as error:
        sys.stderr.write(f"doctor: {error}\n")
        sys.exit(2)


def _examine(settings: Settings, options: argparse.Namespace) -> int:
    if options.adopt and options.adopt not in settings.cameras:
        raise ConfigError(f"--adopt: there is no camera {options.adopt!r} in the configuration")
    store = open_store(settings)
    archives = settings.folder_archives
    journal = Journal.open(settings.journal_url, owner=False)
    try:
        journal.facts.belongs_to(store.volume.identity())
        if options.repair:
            sys.stdout.write(f"removed {store.sweep(PART_S)} unfinished files\n")
        if options.adopt:
            files = Files(store, archives, hashes=False, grace_s=options.grace)
            for line in adopt(journal, files, options.adopt):
                sys.stdout.write(f"{line}\n")
        doctor = Doctor(
            store, journal, archives, level=options.level, grace_s=options.grace,
            secrets=list(_secrets("", settings)), progress=_show,
        )  # fmt: skip
        count = 0
        for found in doctor.findings():
            count += 1
            sys.stdout.write(f"{found.invariant}: {found.what}\n    remedy: {found.remedy}\n")
        total = journal.audit.count()
        sys.stdout.write(f"{count} differences in {total} snapshots (level {options.level})\n")
        sys.stdout.write(f"{NOT_SEEN}\n")
        return 1 if count else 0
    finally:
        journal.close()


def _secrets(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """All secrets of the configuration that are long enough to be known again."""
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        if len(secret) >= SHORTEST_SECRET:
            yield name, secret
    elif isinstance(value, BaseModel):
        for key in type(value).model_fields:
            yield from _secrets(f"{name}.{key}".lstrip("."), getattr(value, key))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _secrets(f"{name}.{key}", each)


def _show(done: int, total: int) -> None:
    if sys.stderr.isatty():
        bar = "█" * (30 * done // max(1, total))
        sys.stderr.write(f"\r{bar:<30} {done} of {total} snapshots")
        sys.stderr.write("\n" if done == total else "")


if __name__ == "__main__":
    main()
