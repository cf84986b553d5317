"""The bodies of the API's answers, as in /openapi.json, and how rows become them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from services.api.file_views import FileView, FilingView, Urls, files
from services.api.open_work import OpenWorkView, open_work_view
from shared.events import EVENTS, Detection, SnapshotAnalyzed, Trigger
from shared.journal.queries.events import OpenWork, Recorded
from shared.journal.queries.snapshots import Analysis, Snapshot
from shared.settings.cameras import CameraSection

Cameras = Mapping[str, CameraSection]
State = Literal["taken", "analyzed", "archived", "skipped", "quarantined", "dead"]


class AnalysisView(BaseModel):
    """What an analyser did. ``analyzed`` false is never "nothing found": ``reason`` says why."""

    analyzer: str
    analyzed: bool
    reason: str = ""
    engine: str = ""
    model: str = ""
    width: int = 0
    height: int = 0
    milliseconds: dict[str, float] = {}


class DetectionView(Detection):
    """One thing seen, and by which analyser."""

    analyzer: str


class SnapshotView(BaseModel):
    """One snapshot. ``trigger``: why the camera took it; empty: it did not say. ``skew_s``: how far
    its clock was from the arrival, null under five minutes. ``detections`` are those of all
    analyses, the surest first; ``analysis`` and ``archive`` are the first of ``analyses`` and
    ``filings``. ``dead`` names the services that gave up on it; ``kept``: it is to stay.
    ``label_counts`` are the most that
    one analyser saw; ``person_count`` counts people of `detector.person_confidence` or surer, and
    is null where nobody counted."""

    id: str
    camera: str
    place: str
    door: str
    name: str
    captured_at: datetime
    captured_by: str
    received_at: datetime
    skew_s: float | None
    trigger: Trigger
    size: int
    media_type: str
    sha256: str
    state: str
    kept: bool
    dead: list[str]
    analysis: AnalysisView | None
    analyses: list[AnalysisView]
    detections: list[DetectionView]
    label_counts: dict[str, int]
    person_count: int | None
    human_seen: bool | None
    archive: FilingView | None
    filings: list[FilingView]
    urls: Urls


class SnapshotList(BaseModel):
    """Snapshots, newest first. ``next`` is the ``before`` of the next page, or null."""

    snapshots: list[SnapshotView]
    next: str | None


class StoryEvent(BaseModel):
    """One event of a snapshot; ``since_taken_s`` is negative for what came before it."""

    id: str
    topic: str
    title: str
    source: str
    time: datetime
    recorded_at: datetime
    published_at: datetime | None
    since_taken_s: float
    cause: str | None
    traceparent: str | None
    data: Mapping[str, Any]


class SnapshotStory(SnapshotView):
    """One snapshot with everything that happened to it."""

    files: list[FileView]
    story: list[StoryEvent]
    work: list[OpenWorkView]


def urls(snapshot_id: str) -> Urls:
    """The addresses of a snapshot."""
    base = f"/v1/snapshots/{snapshot_id}"
    return Urls(
        page=f"/snapshots/{snapshot_id}",
        snapshot=base,
        picture=f"{base}/picture",
        thumbnail=f"{base}/thumbnail",
        original=f"{base}/picture?original=1",
    )


def place(cameras: Cameras, camera: str) -> str:
    """What people call the spot of a camera."""
    section = cameras.get(camera)
    return section.place if section and section.place else camera


def snapshot_view(row: Snapshot, cameras: Cameras) -> SnapshotView:
    """A row of the catalogue as the API shows it."""
    return SnapshotView(**_fields(row, cameras))


def snapshot_story(
    row: Snapshot, cameras: Cameras, story: Sequence[Recorded], work: Sequence[OpenWork]
) -> SnapshotStory:
    """A row of the catalogue with all that happened to it."""
    return SnapshotStory(
        **_fields(row, cameras),
        files=files(row, urls(row.id)),
        story=[_story_event(each, row.received_at) for each in story],
        work=[open_work_view(each) for each in work],
    )


def _fields(row: Snapshot, cameras: Cameras) -> dict[str, Any]:
    own = (
        "id", "camera", "door", "name", "captured_at", "captured_by", "received_at",
        "skew_s", "trigger", "size", "media_type", "sha256", "state", "person_count",
    )  # fmt: skip
    found = sorted(map(_analysis, row.analyses), key=_the_detector_first)
    detections = [each for _, seen in found for each in seen]
    filings = [FilingView.model_validate(asdict(each)) for each in row.filings]
    return {name: getattr(row, name) for name in own} | {
        "place": place(cameras, row.camera),
        "kept": bool(row.holders),
        "dead": sorted(set(row.dead)),
        "analysis": found[0][0] if found else None,
        "analyses": [analysis for analysis, _ in found],
        "detections": sorted(detections, key=lambda each: -each.confidence),
        "label_counts": _most_of_each(found),
        "human_seen": None if row.person_count is None else row.person_count > 0,
        "archive": filings[0] if filings else None,
        "filings": filings,
        "urls": urls(row.id),
    }


def _most_of_each(found: Sequence[tuple[AnalysisView, list[DetectionView]]]) -> dict[str, int]:
    most: Counter[str] = Counter()
    for _, seen in found:
        most |= Counter(each.label for each in seen)
    return dict(most)


def _analysis(row: Analysis) -> tuple[AnalysisView, list[DetectionView]]:
    name = row.analyzer
    try:
        said = SnapshotAnalyzed.model_validate(row.data)
    except ValidationError:
        # Another program put this event on the bus; its mistake must not hide the snapshot.
        return AnalysisView(analyzer=name, analyzed=False, reason="the result can't be read"), []
    shown = said.model_dump(include=set(AnalysisView.model_fields))
    seen = [DetectionView(**each.model_dump(), analyzer=name) for each in said.detections]
    return AnalysisView(**shown), seen


def _the_detector_first(found: tuple[AnalysisView, list[DetectionView]]) -> tuple[bool, bool, str]:
    analysis, _ = found
    return not analysis.analyzed, analysis.analyzer != "detector", analysis.analyzer


def _story_event(recorded: Recorded, taken_at: datetime) -> StoryEvent:
    event = recorded.event
    known = EVENTS.get(event.topic)  # other programs may say what no service of ours does
    return StoryEvent(
        id=event.id,
        topic=event.topic,
        title=known.title if known else event.topic,
        source=event.source or "/snapbus",
        time=event.time,
        recorded_at=recorded.recorded_at,
        published_at=recorded.published_at,
        since_taken_s=round((event.time - taken_at).total_seconds(), 3),
        cause=event.cause,
        traceparent=event.trace,
        data=event.data,
    )
