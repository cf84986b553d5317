"""What the doctor changes, and only when told to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ulid import ULID

from shared.admin.doctor.files import Files, sha256_of
from shared.errors import PictureError
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
    for path in files.orphans():
        try:
            yield f"{path} is now snapshot {_adopt(journal, path, camera)}"
        except (PictureError, OSError) as error:
            yield f"{path} is left alone: {error}"


def _adopt(journal: Journal, path: Path, camera: str) -> str:
    with path.open("rb") as file:
        media_type = sniff(file.read(HEAD_BYTES))
    check_complete(path)
    if sha256_of(path) != path.name:
        raise OSError("its bytes are not those of its name")
    status = path.stat()
    written_at = datetime.fromtimestamp(status.st_mtime, UTC)
    snapshot_id = str(ULID.from_datetime(written_at))
    data = SnapshotTaken(
        camera=camera,
        door="folder",
        sha256=path.name,
        size=status.st_size,
        media_type="image/png" if media_type == "image/png" else "image/jpeg",
        name=path.name,
        captured_at=written_at,
        received_at=written_at,
    )
    taken = data.event(
        subject=camera, cause=snapshot_id, discriminator=snapshot_id, snapshot_id=snapshot_id
    )
    key = f"adopted:{path.name}"
    return journal.record_snapshot(taken, [key], repeats_since=now())[0]
