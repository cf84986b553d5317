"""/v1/work: what services are not done with, and trying again what they gave up."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from services.api.needs import MayOperate, MayRead, note
from services.api.open_work import OpenWorkView, work_item_view
from shared.journal.queries.recovery import OPEN, Recovery


class WorkList(BaseModel):
    """Work that is not done, the latest change first."""

    work: list[OpenWorkView]


class Replay(BaseModel):
    """Which dead or waiting work to try again; all of it when nothing is named."""

    model_config = ConfigDict(extra="forbid")

    service: str = Field("", max_length=32)
    event_id: str = Field("", max_length=64)
    snapshot_id: str = Field("", max_length=26)


class Replayed(BaseModel):
    """How much will be tried again."""

    replayed: int


def routes(recovery: Recovery) -> APIRouter:
    """The routes of work."""
    router = APIRouter(prefix="/v1/work", tags=["work"])

    @router.get("")
    def list_work(
        status: Annotated[list[Literal["retry", "dead", "tried"]], Query()] = [],  # noqa: B006
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        *,
        visitor: MayRead,
    ) -> WorkList:
        """What was tried and failed: it is due again, or dead until somebody replays it."""
        items = recovery.items(status or OPEN, limit, visitor.view)
        return WorkList(work=[work_item_view(item) for item in items])

    @router.post("/replay")
    def replay_work(chosen: Replay, request: Request, visitor: MayOperate) -> Replayed:
        """Make work due now that is dead or waits: all of it, or what is named."""
        count = recovery.replay(chosen.service, chosen.event_id, chosen.snapshot_id, visitor.view)
        note(request, visitor, "work_replayed", chosen.service or "all", f"{count} events")
        return Replayed(replayed=count)

    return router
