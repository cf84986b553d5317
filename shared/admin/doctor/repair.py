"""What the doctor changes, and only when told to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ulid import ULID

from shared.admin.doctor.files import Files, sha256_of
from shared.errors import PictureError, StoreError
from shared.events import SnapshotTaken, now
from shared.journal import Journal
from shared.picture.format import check_complete, sniff
from shared.store.part import HEAD_BYTES


def adopt(journal: Journal, files: Files, camera: str) -> Iterator[str]:
    """Catalogue every stored file that nobody knows as a picture of ``camera``, taken when the file
    was written; the services then do with it what they do with any. Says what became of each.
    Doing it again does nothing. Raises JournalUnavailable."""
    for snapshot in journal.audit.catalogue():
        for _ in files.of(snapshot):
            pass
    for _ in files.spooled():
        pass
    for sha256, written_at in files.orphans():
        where = files.store.where(sha256)
        try:
            snapshot_id = _adopt(journal, files.store.path(sha256), sha256, written_at, camera)
            yield f"{where} is now snapshot {snapshot_id}"
        except (PictureError, StoreError, OSError) as error:
            yield f"{where} is left alone: {error}"


def _adopt(journal: Journal, path: Path, sha256: str, at: float, camera: str) -> str:
    with path.open("rb") as file:
        media_type = sniff(file.read(HEAD_BYTES))
    check_complete(path)
    if sha256_of(path) != sha256:
        raise OSError("its bytes are not those of its name")
    written_at = datetime.fromtimestamp(at, UTC)
    snapshot_id = str(ULID.from_datetime(written_at))
    data = SnapshotTaken(
        camera=camera,
        door="folder",
        sha256=sha256,
        size=path.stat().st_size,
        media_type="image/png" if media_type == "image/png" else "image/jpeg",
        name=sha256,
        captured_at=written_at,
        received_at=written_at,
    )
    taken = data.event(
        subject=camera, cause=snapshot_id, discriminator=snapshot_id, snapshot_id=snapshot_id
    )
    key = f"adopted:{sha256}"
    return journal.record_snapshot(taken, [key], repeats_since=now())[0]
