"""/v1/snapshots: the catalogue, and one snapshot with its whole story."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from services.api.needs import MayRead
from services.api.problems import Problem
from services.api.times import Calendar, Moment
from services.api.views import (
    Cameras,
    SnapshotList,
    SnapshotStory,
    State,
    snapshot_story,
    snapshot_view,
)
from shared.journal.queries.snapshots import Reader, Snapshot

_ULID = "[0-9A-HJKMNP-TV-Z]{26}"
SnapshotId = Annotated[str, Path(pattern=f"^{_ULID}$", description="a ULID")]


class Wanted(BaseModel):
    """Which snapshots, and which page of them."""

    camera: str = Field("", max_length=64)
    label: str = Field("", max_length=64)
    label_count: int = Field(1, ge=1, le=1000, description="with `label`: seen so often, or more")
    human_seen: bool | None = Field(None, description="whether a person was seen for sure")
    persons: int | None = Field(None, ge=0, le=1000, description="so many, or more; 0: nobody")
    state: State | None = None
    since: Moment | None = Field(None, description="captured then or later")
    until: Moment | None = Field(None, description="captured before")
    before: str = Field("", pattern=f"^({_ULID})?$", description="`next` of the last page")
    limit: int = Field(50, ge=1, le=200)

    @property
    def people(self) -> int | None:
        """The least number of people, or 0 for none; None: any. Raises Problem."""
        if self.human_seen is None:
            return self.persons
        if self.persons is not None and self.human_seen != bool(self.persons):
            raise Problem(422, "nothing-fits", "human_seen and persons exclude each other.")
        return self.persons if self.persons is not None else int(self.human_seen)


def routes(cameras: Cameras, journal: Reader, calendar: Calendar) -> APIRouter:
    """The routes of the catalogue."""
    router = APIRouter(prefix="/v1", tags=["snapshots"])

    @router.get("/snapshots")
    def list_snapshots(wanted: Annotated[Wanted, Query()], visitor: MayRead) -> SnapshotList:
        """Snapshots with their state and what was seen: those that came last first or, with `since`
        or `until`, those that were captured last."""
        rows = _page(journal.within(visitor.view), wanted, calendar)
        page = rows[: wanted.limit]
        return SnapshotList(
            snapshots=[snapshot_view(row, cameras) for row in page],
            next=page[-1].id if len(rows) > wanted.limit else None,
        )

    @router.get("/snapshots/{snapshot_id}")
    def get_snapshot(snapshot_id: SnapshotId, visitor: MayRead) -> SnapshotStory:
        """One snapshot with every event that happened to it, and what holds it up."""
        read = journal.within(visitor.view)
        row = found(read, snapshot_id)
        story = read.story(snapshot_id)
        first = story[0].event.cause if story else None
        if first and (request := read.event(first)):
            story = [request, *story]
        return snapshot_story(row, cameras, story, read.open_work(snapshot_id=snapshot_id))

    @router.get("/labels")
    def list_labels(visitor: MayRead) -> list[str]:
        """Every label that was ever seen, in alphabetical order."""
        return journal.within(visitor.view).label_names()

    return router


def _page(read: Reader, wanted: Wanted, calendar: Calendar) -> list[Snapshot]:
    """One more than wanted, if there is one."""
    return read.snapshots(
        camera=wanted.camera,
        label=wanted.label,
        label_count=wanted.label_count,
        persons=wanted.people,
        state=wanted.state or "",
        since=calendar.utc(wanted.since),
        until=calendar.utc(wanted.until),
        before=wanted.before,
        limit=wanted.limit + 1,
    )


def found(read: Reader, snapshot_id: str) -> Snapshot:
    """The snapshot, or the problem that there is none."""
    row = read.snapshot(snapshot_id)
    if row is None:
        raise Problem(404, "no-such-snapshot", "There is no snapshot with this id.")
    return row
