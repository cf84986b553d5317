"""Wires the drive service."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from services.drive.archives.folder import FolderArchive
from services.drive.file import FileSnapshots, skip
from shared.errors import ConfigError, JournalUnavailable
from shared.events import SnapshotAnalyzed
from shared.failpoint import reach
from shared.journal import Journal
from shared.service import Context, Service, switched_off
from shared.settings.section import zone_of

log = logging.getLogger(__name__)


class Once:
    """Calls something until it succeeds, and never again. Any thread."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            if self._call:
                self._call()
                self._call = None


def build(context: Context) -> Service:
    """Files pictures in the archive."""
    section = context.settings.drive
    if not section.enabled:
        return switched_off(
            "drive", {SnapshotAnalyzed.topic: partial(skip, archive=section.archive)}
        )
    root = context.settings.data / section.folder  # an absolute folder stays as it is
    archive = FolderArchive(root)
    prepared = Once(lambda: _prepare(archive, root, context.journal))
    try:
        prepared()
    except JournalUnavailable as error:
        # The first picture will try again; until then nothing can be filed anyway.
        log.warning("the archive is not prepared: %s", error, extra={"action": "journal_away"})
    except OSError as error:
        raise ConfigError(
            f"drive.folder: {root} can't be made: {error.strerror}. "
            "Make it, or name a folder that this user may write."
        ) from error
    handler = FileSnapshots(
        archive,
        context.store,
        context.journal,
        prepared,
        policy=section.policy,
        person_confidence=context.settings.detector.person_confidence,
        zone=zone_of(section.timezone),
    )
    return Service(
        name="drive",
        handlers={SnapshotAnalyzed.topic: handler},
        workers=2,
        about=archive.about,
    )


def _prepare(archive: FolderArchive, root: Path, journal: Journal) -> None:
    """The journal remembers which folders were prepared, so that an empty mount point is not
    taken for a new archive."""
    path = str(root.absolute())
    fact = f"archive:{hashlib.sha256(path.encode()).hexdigest()[:32]}"
    archive.prepare(first=journal.facts.recall(fact) is None)
    reach("drive.prepared")
    journal.facts.remember(fact, path)
