"""/v1/snapshots: the catalogue, and one snapshot with its whole story."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from services.api.problems import Problem
from services.api.views import (
    Cameras,
    SnapshotList,
    SnapshotStory,
    State,
    snapshot_story,
    snapshot_view,
)
from shared.journal.queries.snapshots import Reader, Snapshot

SnapshotId = Annotated[str, Path(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$", description="a ULID")]


class Wanted(BaseModel):
    """Which snapshots, and which page of them."""

    camera: str = Field("", max_length=64)
    label: str = Field("", max_length=64)
    state: State | None = None
    since: AwareDatetime | None = Field(None, description="captured then or later")
    until: AwareDatetime | None = Field(None, description="captured before")
    before: str = Field("", max_length=26, description="`next` of the last page")
    limit: int = Field(50, ge=1, le=200)


def routes(cameras: Cameras, read: Reader) -> APIRouter:
    """The routes of the catalogue."""
    router = APIRouter(prefix="/v1", tags=["snapshots"])

    @router.get("/snapshots")
    def list_snapshots(wanted: Annotated[Wanted, Query()]) -> SnapshotList:
        """The newest snapshots first, with their state and what was seen."""
        rows = read.snapshots(
            camera=wanted.camera,
            label=wanted.label,
            state=wanted.state or "",
            since=wanted.since,
            until=wanted.until,
            before=wanted.before,
            limit=wanted.limit + 1,
        )
        page = rows[: wanted.limit]
        return SnapshotList(
            snapshots=[snapshot_view(row, cameras) for row in page],
            next=page[-1].id if len(rows) > wanted.limit else None,
        )

    @router.get("/snapshots/{snapshot_id}")
    def one_snapshot(snapshot_id: SnapshotId) -> SnapshotStory:
        """One snapshot with every event that happened to it, and what holds it up."""
        row = found(read, snapshot_id)
        story = read.story(snapshot_id)
        first = story[0].event.cause if story else None
        if first and (request := read.event(first)):
            story = [request, *story]
        return snapshot_story(row, cameras, story, read.open_work(snapshot_id=snapshot_id))

    @router.get("/labels")
    def labels() -> list[str]:
        """Every label that was ever seen, in alphabetical order."""
        return read.label_names()

    return router


def found(read: Reader, snapshot_id: str) -> Snapshot:
    """The snapshot, or the problem that there is none."""
    row = read.snapshot(snapshot_id)
    if row is None:
        raise Problem(404, "no-such-snapshot", "There is no snapshot with this id.")
    return row
