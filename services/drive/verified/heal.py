"""Puts back into an archive what it lost or holds damaged, from the store or another archive."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path

from services.drive.archives.archive import Archive, Filing, suffix_of
from services.drive.copies import ENCRYPTED, Copy, Encryption
from services.drive.verified.keeper import write
from services.drive.verified.sources import NoSource, Scope, Sources
from services.drive.verified.verify import Difference, Verify
from shared.errors import HandlerError, Reject
from shared.events import ORIGINAL, SnapshotRefiled, now
from shared.journal import Journal
from shared.journal.manifests import Held
from shared.store import Store

Outcome = Callable[[Difference, str], None]
"""Is told a difference, and why it stays; empty: it was healed."""


class Heal:
    """Heals one archive. Foreign files stay; nobody knows what they are for. Safe to repeat: what
    is healed differs no more."""

    def __init__(
        self,
        archive: Archive,
        archives: Mapping[str, Archive],
        journal: Journal,
        store: Store,
        encryption: Encryption | None = None,
        *,
        zone: tzinfo | None = None,
    ) -> None:
        """``zone`` is that of the archive's folders and file names."""
        self._archive = archive
        self._journal = journal
        self._store = store
        self._sources = Sources(store, archives, journal)
        self._encryption = encryption
        self._zone = zone

    def day(self, verify: Verify, day: str, scope: Scope, tell: Outcome) -> None:
        """Heal what differs in a day. Raises what archives raise, OSError and
        JournalUnavailable."""
        manifest = None
        for found in verify.day(day):
            if found.what == "manifest":
                manifest = found
            elif found.held is None:
                tell(found, "it is left alone")
            elif scope.of_copy(found.held):
                tell(found, self._healed(found, found.held))
        if manifest:
            if self._journal.manifests.of(self._archive.name, day) is None:
                tell(manifest, "the journal knows no other")
            else:
                write(self._archive, self._journal, day)
                tell(manifest, "")
        elif day in self._journal.manifests.open_days(self._archive.name):
            write(self._archive, self._journal, day)

    def _healed(self, found: Difference, held: Held) -> str:
        with tempfile.TemporaryDirectory(dir=self._store.incoming) as folder:
            try:
                self._put_back(found, held, Path(folder))
            except (NoSource, Reject) as error:
                return str(error)
            except HandlerError as error:
                return f"again later: {error}"
        return ""

    def _put_back(self, found: Difference, held: Held, folder: Path) -> None:
        path = folder / uuid.uuid4().hex
        copy = Copy(held.kind, path, held.sha256, held.size, "")
        try:
            self._sources.fetch(held, path, without=self._archive.name)
        except NoSource:
            if held.kind != ENCRYPTED or not self._encryption or not held.original:
                raise
            copy = self._anew(held, path)
        filed = self._archive.file(self._filing(held, copy))
        data = SnapshotRefiled(
            camera=held.camera,
            archive=self._archive.name,
            kind=held.kind,
            path=filed.path,
            link=filed.link or None,
            key=filed.key or None,
            sha256=copy.sha256,
            size=copy.size,
            reason=f"{found.what}: {found.detail}",
        )
        event = data.event(
            subject=held.camera,
            cause=uuid.uuid4().hex,  # each time it is healed is one
            snapshot_id=held.snapshot_id,
            organisation=held.organisation,
        )
        self._journal.append([event])

    def _filing(self, held: Held, copy: Copy) -> Filing:
        """The filing as it was made; ``at`` its path, if it would be made under another today."""
        snapshot = self._journal.read.snapshot(held.snapshot_id)
        at = (snapshot.captured_at if snapshot else now()).astimezone(self._zone)
        filing = Filing(
            held.snapshot_id, held.camera, at, held.media_type, copy.sha256, copy.size,
            copy.source, kind=held.kind, suffix=held.path.rpartition(held.snapshot_id)[2],
        )  # fmt: skip
        return filing if filing.path == held.path else replace(filing, at=held.path)

    def _anew(self, held: Held, path: Path) -> Copy:
        """Encrypt the picture once more; the bytes are others than before."""
        assert self._encryption is not None
        snapshot = self._journal.read.snapshot(held.snapshot_id)
        size = snapshot.size if snapshot else 0
        original = Held(
            held.path, held.original, size, ORIGINAL, held.snapshot_id, original=held.original
        )
        self._sources.fetch(original, path, without=self._archive.name)
        suffix = suffix_of(held.media_type)
        copy = Copy(ORIGINAL, path, held.original, size, suffix)
        return self._encryption.of(copy, held.snapshot_id, fresh=True)
