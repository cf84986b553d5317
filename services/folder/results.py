"""The handler: what was found in a picture is written beside it, for programs that read folders."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from services.folder.destination import Destination, stem_of
from services.folder.watched import WatchedFolder
from shared.errors import Reject, Unreachable
from shared.events import Detection, Event, SnapshotAnalyzed, SnapshotRejected
from shared.journal import Journal


class WriteResults:
    """``folder_of`` gives the watched folder of a camera, if it has one. Any thread."""

    def __init__(
        self, folder_of: Callable[[str], WatchedFolder | None], journal: Journal, analyzer: str
    ) -> None:
        """``analyzer``: whose results are written."""
        self._folder_of = folder_of
        self._journal = journal
        self._analyzer = analyzer

    def __call__(self, event: Event) -> Sequence[Event]:
        """``snapshot.analyzed`` and ``snapshot.rejected`` → a file. A repeat is harmless: it finds
        the file that it wrote, or writes the same again. Raises Unreachable while the folder is
        away."""
        watched = self._folder_of(event.subject)
        if watched is None or not watched.section.results:
            return []
        if event.data.get("analyzer", self._analyzer) != self._analyzer:
            return []
        snapshot = self._journal.read.snapshot(event.snapshot_id or "")
        if snapshot is None:
            raise Reject(f"no snapshot {event.snapshot_id} in the catalogue")
        if snapshot.door == "folder":
            text = result(event, str(watched.root / snapshot.name), snapshot.name)
            try:
                place = Destination(
                    watched.results, within=watched.root, make=bool(watched.processed)
                )
                place.result(snapshot.name, snapshot.sha256, text)
            except OSError as error:
                raise Unreachable(
                    f"folder of {event.subject}",
                    f"results can't be written to {watched.results}: {error.strerror or error}",
                ) from error
        return []


def result(event: Event, source: str, name: str) -> str:
    """The content of ``<name>_analysis.json``: ``source``, ``timestamp`` and ``analysis`` as source
    document 000 has them, and more that a program can count with."""
    detections: Sequence[Detection] = ()
    if event.topic == SnapshotRejected.topic:
        words = f"not analysed: {event.parsed(SnapshotRejected).reason}"
    else:
        analyzed = event.parsed(SnapshotAnalyzed)
        words, detections = analyzed.words, analyzed.detections
    fields = {
        "source": source,
        "timestamp": stem_of(name),
        "analysis": words,
        "id": event.snapshot_id,
        "camera": event.subject,
        "detections": [each.model_dump(mode="json") for each in detections],
    }
    return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"
