"""The handler: which pictures are filed, and what is said afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import tzinfo

from services.drive.archives.archive import Archive, Entry, Filed, Filing, suffix_of
from services.drive.copies import Copy, Encryption, encrypted_kind
from shared.errors import HandlerError, Reject, Unreachable
from shared.events import ORIGINAL, Event, SnapshotAnalyzed, SnapshotArchived, SnapshotSkipped
from shared.journal import Journal
from shared.journal.queries.snapshots import Snapshot
from shared.store import Store


def skip(event: Event, archive: str, policy: str = "off") -> Sequence[Event]:
    """``snapshot.analyzed`` → ``snapshot.skipped``: for this archive, it is the snapshot's end
    unless another analyser finds what the policy wants."""
    analyzed = event.parsed(SnapshotAnalyzed)
    skipped = SnapshotSkipped(camera=analyzed.camera, archive=archive, policy=policy)
    # Once per snapshot, however many analysers answer.
    return [skipped.event(subject=event.subject, cause=event, key=f"{event.snapshot_id}")]


class FileSnapshots:
    """Files what the policy wants: everything, what shows objects, or what shows people."""

    def __init__(
        self,
        archive: Archive,
        store: Store,
        journal: Journal,
        prepare: Callable[[], None] = lambda: None,
        *,
        policy: str,
        analyzer: str = "detector",
        zone: tzinfo | None = None,
        encryption: Encryption | None = None,
    ) -> None:
        """``zone`` is the one of folders and file names; None: that of this machine. ``analyzer``
        answers every picture: what only another one did not analyse, it decides. With
        ``encryption`` nothing leaves unencrypted."""
        self._archive = archive
        self._store = store
        self._journal = journal
        self._prepare = prepare
        self._policy = policy
        self._analyzer = analyzer
        self._zone = zone
        self._encryption = encryption
        self.trouble = ""
        """Why the last picture could not be filed; empty: it was."""

    def __call__(self, event: Event) -> Sequence[Event]:
        """``snapshot.analyzed`` → ``snapshot.archived`` or ``snapshot.skipped``. With several
        analysers it is called for the result of each; a picture is filed once, by the first result
        that the policy wants. A repeat is harmless: the archive holds the picture once, and the
        event's id is fixed by snapshot and archive."""
        analyzed = event.parsed(SnapshotAnalyzed)
        snapshot = self._journal.read.snapshot(event.snapshot_id or "")
        if snapshot is None:
            raise Reject(f"no snapshot {event.snapshot_id} in the catalogue")
        own = (each for each in snapshot.filings if each.archive == self._archive.name)
        held = {each.kind for each in own if each.path}
        if not held and self._policy != "everything" and self._is_open(analyzed):
            return []
        if not held and not self.wants(analyzed):
            return skip(event, self._archive.name, self._policy)
        missing = [kind for kind in self._kinds() if kind not in held]
        return [self._archived(event, snapshot, self._copy(snapshot, kind)) for kind in missing]

    def _kinds(self) -> Sequence[str]:
        """The kinds of copies that this archive is to hold of each picture."""
        return [encrypted_kind(ORIGINAL) if self._encryption else ORIGINAL]

    def _copy(self, snapshot: Snapshot, kind: str) -> Copy:
        """The bytes of this kind. Raises SnapshotMissing, or Unreachable where none can be made."""
        source = self._store.path(snapshot.sha256)
        suffix = suffix_of(snapshot.media_type)
        copy = Copy(ORIGINAL, source, snapshot.sha256, snapshot.size, suffix)
        if kind == ORIGINAL or not self._encryption:
            return copy
        try:
            return self._encryption.of(copy, snapshot.id)
        except OSError as error:
            text = f"the data folder takes no encrypted copy: {error.strerror or error}"
            raise Unreachable("data folder", text) from error

    def _archived(self, event: Event, snapshot: Snapshot, copy: Copy) -> Event:
        """File one copy, and say so."""
        filing = Filing(
            snapshot_id=snapshot.id,
            camera=snapshot.camera,
            captured_at=snapshot.captured_at.astimezone(self._zone),
            media_type=snapshot.media_type,
            sha256=copy.sha256,
            size=copy.size,
            source=copy.source,
            kind=copy.kind,
            suffix=copy.suffix,
            labels=_labels(event.parsed(SnapshotAnalyzed)),
        )
        filed = self._file(filing)
        if snapshot.holders:
            entry = Entry(filed.path, filing.size, key=filed.key)
            self._archive.hold(entry, on=True)
        archived = SnapshotArchived(
            camera=snapshot.camera,
            archive=self._archive.name,
            kind=filing.kind,
            path=filed.path,
            link=filed.link or None,
            key=filed.key or None,
            sha256=filing.sha256,
            size=filing.size,
        )
        return archived.event(subject=event.subject, cause=event, key=snapshot.id)

    def _file(self, filing: Filing) -> Filed:
        try:
            self._prepare()
            filed = self._archive.file(filing)
        except OSError as error:
            self.trouble = f"the archive can't be prepared: {error.strerror or error}"
            raise Unreachable(f"archive {self._archive.name}", self.trouble) from error
        except HandlerError as error:
            self.trouble = f"can't file: {error}"
            raise
        self.trouble = ""
        return filed

    def _is_open(self, analyzed: SnapshotAnalyzed) -> bool:
        """Whether another analyser decides, since this one did not analyse it."""
        return not analyzed.analyzed and analyzed.analyzer != self._analyzer

    def wants(self, analyzed: SnapshotAnalyzed) -> bool:
        """Whether the policy files this picture; one that was not analysed, or does not say whether
        it shows people, is always filed."""
        if self._policy == "everything" or not analyzed.analyzed:
            return True
        if self._policy == "objects":
            return bool(analyzed.detections)
        return analyzed.human_seen is not False


def _labels(analyzed: SnapshotAnalyzed) -> tuple[str, ...]:
    """What was seen, most first."""
    counted = Counter(each.label for each in analyzed.detections)
    return tuple(label for label, _ in counted.most_common())
