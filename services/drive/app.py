"""Wires the drive service: one instance for each configured archive."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from services.drive.archives import archive_for
from services.drive.archives.archive import Archive
from services.drive.backlog import Backlog
from services.drive.copies import Encryption
from services.drive.file import FileSnapshots, skip
from services.drive.hold import HoldSnapshots
from services.drive.prepared import Prepared
from services.drive.verified.keeper import ManifestKeeper
from shared.errors import ConfigError, JournalUnavailable
from shared.events import SnapshotAnalyzed, SnapshotKept
from shared.service import Context, Handler, Service, switched_off
from shared.settings.archive import DriveSection
from shared.settings.section import zone_of

log = logging.getLogger(__name__)


def build(context: Context) -> Sequence[Service]:
    """Files pictures in the archives, each by a service of its own."""
    first, *more = context.settings.all_archives.items()
    services = [_service("drive", "drive", *first, context)]
    for name, section in more:
        services.append(_service(f"drive-{name}", f"archives.{name}", name, section, context))
    return services


def _service(
    service: str, path: str, name: str, section: DriveSection, context: Context
) -> Service:
    """``path`` is the place of the section in the configuration."""
    topic = SnapshotAnalyzed.topic
    if not section.enabled:
        return switched_off(service, {topic: partial(skip, archive=name)}, setting=path)
    archive = archive_for(name, section, context.settings.data, context.journal)
    prepared = _prepared(archive, path, section, context)
    handler = FileSnapshots(
        archive,
        context.store,
        context.journal,
        prepared,
        policy=section.policy,
        analyzer=context.settings.analyzers[0],
        zone=zone_of(section.timezone),
        encryption=Encryption(section.encrypt_to, context.settings.data / "encrypted" / name),
    )

    backlog = Backlog(lambda: context.journal.recovery.owed(service))

    def about() -> Mapping[str, Any]:
        trouble = handler.trouble
        told = {**archive.about(), **({"ok": False, "summary": trouble} if trouble else {})}
        told["summary"] = "; ".join(filter(None, (told["summary"], backlog.words())))
        return told

    workers = section.google.streams if section.archive == "google" else 2
    handlers: dict[str, Handler] = {
        topic: handler,
        SnapshotKept.topic: HoldSnapshots(archive, context.journal),
    }
    keeper = ManifestKeeper(archive, context.journal, every_s=section.manifest_s)
    sources = (*archive.sources(), keeper)
    return Service(service, handlers, sources, workers=workers, about=about)


def _prepared(
    archive: Archive, path: str, section: DriveSection, context: Context
) -> Callable[[], None]:
    """What prepares the archive if that could not be done now. Raises ConfigError."""
    prepared = Prepared(archive, context.journal)
    try:
        prepared()
    except JournalUnavailable as error:
        # The first picture will try again; until then nothing can be filed anyway.
        log.warning("the archive is not prepared: %s", error, extra={"action": "journal_away"})
    except OSError as error:
        raise ConfigError(
            f"{path}.{section.archive}: {archive.place} can't be made: {error.strerror}. "
            "Make it, or name a folder that this user may write."
        ) from error
    return prepared
