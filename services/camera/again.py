"""The handler: a picture that turned out unsound is asked for once more."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from datetime import timedelta

from shared.events import Event, SnapshotRejected, SnapshotRequested, SnapshotTaken, now
from shared.journal.queries.snapshots import Reader

WORTH_IT = timedelta(minutes=5)
"""A later picture would show something else, and is asked for no more."""


class AskAgain:
    """Requests another picture for each ``snapshot.rejected`` of a camera that can be asked now,
    however the first one came; but none for one that was itself asked for again."""

    def __init__(self, cameras: Callable[[], Container[str]], read: Reader) -> None:
        self._cameras = cameras
        self._read = read

    def __call__(self, event: Event) -> Sequence[Event]:
        """A repeat is harmless: the id of the request is fixed by this event's. Raises
        JournalUnavailable."""
        camera = event.parsed(SnapshotRejected).camera
        until = event.time + WORTH_IT
        if camera not in self._cameras() or now() >= until or self._was_second(event):
            return []
        request = SnapshotRequested(
            camera=camera, reason="unsound", requested_by="camera", expires_at=until
        )
        return [request.event(subject=camera, cause=event)]

    def _was_second(self, event: Event) -> bool:
        taken = self._read.event(event.cause or "")
        if taken is None or taken.event.topic != SnapshotTaken.topic:
            return False
        request = self._read.event(taken.event.data.get("request_id") or "")
        return request is not None and request.event.data.get("reason") == "unsound"
