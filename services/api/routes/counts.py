"""/v1/counts: how many snapshots there were, by hour or day, camera and label."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.api.needs import MayRead
from services.api.problems import Problem
from services.api.times import Calendar, Moment, Step
from shared.events import now
from shared.journal.queries.snapshots import Reader

MOST_STEPS = 400
_USUAL = {"hour": timedelta(hours=23), "day": timedelta(days=29)}


class CountsWanted(BaseModel):
    """What is counted."""

    by: Step = Field("hour", description="in the zone of the server")
    since: Moment | None = Field(
        None, description="from the hour or day it is in; else a day or 30 days before `until`"
    )
    until: Moment | None = Field(None, description="to the end of the hour or day; else now")
    camera: str = Field("", max_length=64)
    label: str = Field("", max_length=64, description="only snapshots in which this was seen")


class CountView(BaseModel):
    """Snapshots of one camera that were captured in the hour or day from ``start`` on; in how many
    of them a human was seen, and in how many each label."""

    start: datetime
    camera: str
    snapshots: int
    humans: int
    labels: dict[str, int]


class Counts(BaseModel):
    """From the oldest on; hours and days without a snapshot are left out."""

    by: Step
    since: datetime
    until: datetime
    counts: list[CountView]


def routes(journal: Reader, calendar: Calendar) -> APIRouter:
    """The route of counts."""
    router = APIRouter(prefix="/v1", tags=["snapshots"])

    @router.get("/counts")
    def count_snapshots(wanted: Annotated[CountsWanted, Query()], visitor: MayRead) -> Counts:
        """How many snapshots there were, by hour or day, camera and label."""
        bounds = _bounds(wanted, calendar)
        read = journal.within(visitor.view)
        found = read.counted(bounds, camera=wanted.camera, label=wanted.label)
        return Counts(
            by=wanted.by,
            since=calendar.shown(bounds[0]),
            until=calendar.shown(bounds[-1]),
            counts=[
                CountView(
                    start=calendar.shown(each.start),
                    camera=each.camera,
                    snapshots=each.snapshots,
                    humans=each.humans,
                    labels=each.labels,
                )
                for each in found
            ],
        )

    return router


def _bounds(wanted: CountsWanted, calendar: Calendar) -> list[datetime]:
    last = calendar.utc(wanted.until) or now()
    first = calendar.utc(wanted.since) or last - _USUAL[wanted.by]
    bounds = [calendar.begin(first, wanted.by)]
    while len(bounds) == 1 or bounds[-1] < last:
        if len(bounds) > MOST_STEPS:
            detail = f"At most {MOST_STEPS} {wanted.by}s are counted at a time: narrow the window."
            raise Problem(422, "window-too-wide", detail)
        bounds.append(calendar.after(bounds[-1], wanted.by))
    return bounds
