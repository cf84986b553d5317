"""``verify`` and ``restore`` for people: what archives hold, and how it comes back.

Runs beside the services and needs none of them: the configuration, the journal and the store.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from services.drive.archives import archive_for
from services.drive.archives.archive import Archive
from services.drive.copies import Encryption
from services.drive.verified.heal import Heal
from services.drive.verified.restore import Report, Restore
from services.drive.verified.sources import Scope
from services.drive.verified.verify import LEVELS, Difference, Verify
from shared.errors import ConfigError, SnapbusError
from shared.journal import Journal
from shared.settings import Settings, load
from shared.settings.section import zone_of
from shared.store import Store, open_store

FINE, DIFFERS, CANNOT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Parts:
    """What the commands work with; ``archives`` are those that were chosen, ``all`` are all."""

    settings: Settings
    journal: Journal
    store: Store
    archives: Mapping[str, Archive]
    all: Mapping[str, Archive]


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 0 all is well, 1 something differs or was not restored, 2 it can't
    be done."""
    options = _parser().parse_args(arguments)
    try:
        with _parts(options) as parts:
            return _verify(parts, options) if options.what == "verify" else _restore(parts, options)
    except (SnapbusError, OSError) as error:
        sys.stderr.write(f"{options.what}: {error}\n")
        return CANNOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="archive", description=__doc__.split("\n")[0])
    subs = parser.add_subparsers(dest="what", required=True)
    verify = subs.add_parser("verify", help="name every missing, changed or foreign file")
    verify.add_argument("--json", action="store_true", help="a line of JSON for each difference")
    restore = subs.add_parser(
        "restore",
        help="bring pictures back, into the store unless --into or --heal says otherwise",
    )
    where = restore.add_mutually_exclusive_group()
    where.add_argument("--into", type=Path, metavar="FOLDER", help="copy into this folder")
    where.add_argument(
        "--heal", action="store_true",
        help="put back what the archive lost or holds damaged, from the store or another archive",
    )  # fmt: skip
    restore.add_argument("--all", action="store_true", help="everything")
    restore.add_argument("--camera", default="", help="only pictures of this camera")
    restore.add_argument(
        "--identity", type=Path, metavar="FILE", help="opens encrypted copies: a key file of age"
    )
    for each in (verify, restore):
        each.add_argument("--config", type=Path)
        each.add_argument("--archive", action="append", help="only this one (default: all)")
        each.add_argument("--day", type=_day, help="only this day, such as 2026-11-21")
        each.add_argument("--from", type=_day, dest="first", help="only this day and later ones")
        each.add_argument("--to", type=_day, dest="last", help="only this day and earlier ones")
        each.add_argument(
            "--level", choices=LEVELS, default="sizes",
            help="sizes: names, sizes and what the archive tells of bytes; hashes: every byte",
        )  # fmt: skip
        each.add_argument("--progress", action="store_true", help="also if nobody is watching")
    return parser


def _day(text: str) -> str:
    return date.fromisoformat(text).isoformat()


@contextmanager
def _parts(options: argparse.Namespace) -> Iterator[Parts]:
    settings = load(options.config)
    store = open_store(settings)
    journal = Journal.open(settings.journal_url, owner=False)
    try:
        journal.facts.belongs_to(store.volume.identity())
        archives = {
            name: archive_for(name, section, settings.data, journal)
            for name, section in settings.all_archives.items()
            if section.enabled
        }
        chosen = options.archive or list(archives)
        for name in chosen:
            if name not in archives:
                known = ", ".join(archives) or "none"
                raise ConfigError(f"--archive: {name!r} is no archive that is in use; {known} are")
        yield Parts(settings, journal, store, {name: archives[name] for name in chosen}, archives)
    finally:
        journal.close()


def _scope(options: argparse.Namespace) -> Scope:
    first, last = options.day or options.first or "", options.day or options.last or ""
    return Scope(first, last, getattr(options, "camera", ""))


def _verify(parts: Parts, options: argparse.Namespace) -> int:
    scope, count, files = _scope(options), 0, 0
    for archive in parts.archives.values():
        progress = Progress(options, archive.name)
        verify = Verify(archive, parts.journal, level=options.level, progress=progress.day)
        for day in filter(scope.of_day, verify.days()):
            for found in verify.day(day):
                count += 1
                progress.clear()
                sys.stdout.write(_line(found, as_json=options.json))
                sys.stdout.flush()
        files += progress.total
        progress.clear()
    if not options.json:
        said = "no differences" if count == 0 else f"{count} differences"
        sys.stdout.write(f"{said} in {files} files (level {options.level})\n")
    return DIFFERS if count else FINE


def _line(found: Difference, *, as_json: bool) -> str:
    if not as_json:
        return f"{found.what} in {found.archive}: {found.path}: {found.detail}\n"
    told = {"archive": found.archive, "day": found.day, "what": found.what, "path": found.path}
    told["detail"] = found.detail
    if found.held:
        told |= {"snapshot": found.held.snapshot_id, "kind": found.held.kind}
    return json.dumps(told, ensure_ascii=False) + "\n"


def _restore(parts: Parts, options: argparse.Namespace) -> int:
    scope = _scope(options)
    if not (options.all or scope.first or scope.last or scope.camera):
        raise ConfigError("say what to restore: --day, --from, --to, --camera, or --all")
    if options.heal:
        return _heal(parts, options, scope)
    identity = options.identity.read_text(encoding="utf-8") if options.identity else ""
    progress = Progress(options, "restore")
    restore = Restore(
        parts.archives, parts.journal, parts.store,
        identity=identity, hashes=options.level == "hashes", progress=progress.report,
    )  # fmt: skip
    into = options.into
    report = restore.into_folder(scope, into) if into else restore.into_store(scope)
    progress.clear()
    for path, why in report.failed:
        sys.stdout.write(f"not restored: {path}: {why}\n")
    counts = f"{report.restored} restored, {report.there} were there"
    sys.stdout.write(f"{counts}, {len(report.failed)} not restored\n")
    return DIFFERS if report.failed else FINE


def _heal(parts: Parts, options: argparse.Namespace, scope: Scope) -> int:
    left = healed = 0

    def tell(found: Difference, why: str) -> None:
        nonlocal left, healed
        left, healed = left + bool(why), healed + (not why)
        said = f"left: {why}" if why else "healed"
        sys.stdout.write(f"{found.what} in {found.archive}: {found.path}: {said}\n")
        sys.stdout.flush()

    for name, archive in parts.archives.items():
        section = parts.settings.all_archives[name]
        encryption = Encryption(section.encrypt_to, parts.settings.data / "encrypted" / name)
        zone = zone_of(section.timezone)
        heal = Heal(archive, parts.all, parts.journal, parts.store, encryption, zone=zone)
        progress = Progress(options, name)
        verify = Verify(archive, parts.journal, level=options.level, progress=progress.day)
        for day in filter(scope.of_day, verify.days()):
            heal.day(verify, day, scope, tell)
        progress.clear()
    sys.stdout.write(f"{healed} healed, {left} left\n")
    return DIFFERS if left else FINE


class Progress:
    """A line on the error output that is written over, if somebody is watching."""

    def __init__(self, options: argparse.Namespace, name: str) -> None:
        self._watched = sys.stderr.isatty()
        self._wanted = self._watched or options.progress
        self._name = name
        self.total = 0

    def day(self, day: str, count: int) -> None:
        self.total += 1
        if count % 100 == 1:
            self._say(f"{self._name}: {day}, {self.total} files")

    def report(self, day: str, report: Report) -> None:
        failed = f", {len(report.failed)} not restored" if report.failed else ""
        self._say(f"{self._name}: {day}, {report.restored} restored, {report.there} there{failed}")

    def _say(self, text: str) -> None:
        if self._wanted:
            sys.stderr.write(f"\r\x1b[K{text}" if self._watched else f"{text}\n")
            sys.stderr.flush()

    def clear(self) -> None:
        if self._watched:
            sys.stderr.write("\r\x1b[K")
