"""Health for people (/v1/health), for orchestrators (live, ready), for scrapers (/metrics)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.api.meters import CONTENT_TYPE, Meters
from services.api.state import HealthView, State
from shared.events import now
from shared.service import Context


class Plain(BaseModel):
    """The short health report that monitors of small uploaders expect."""

    status: Literal["healthy", "degraded", "stuck"]
    last_capture: datetime | None
    uptime_seconds: int
    total_captures: int
    total_uploads: int
    failed_uploads: int


class Alive(BaseModel):
    status: Literal["ok"] = "ok"


def routes(context: Context, state: State, meters: Meters) -> APIRouter:
    """The routes of health."""
    router = APIRouter(tags=["health"])

    @router.get("/v1/health")
    def health() -> HealthView:
        """Each part, what waits, what is wrong; always 200 while the journal answers."""
        return state.health()

    @router.get("/v1/health/live")
    async def live() -> Alive:
        """This process serves requests. Asks nobody else."""
        return Alive()

    @router.get("/v1/health/ready")
    def ready() -> Alive:
        """Journal and store can be used; else 503."""
        context.journal.read.newest_seq()
        context.store.volume.check()
        return Alive()

    @router.get("/health")
    def plain() -> Plain:
        """The short report."""
        return _plain(context, state)

    @router.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """Prometheus exposition format."""
        return Response(meters.text(), media_type=CONTENT_TYPE)

    return router


def _plain(context: Context, state: State) -> Plain:
    report = state.health()
    latest = context.journal.read.snapshots(limit=1)
    dead = context.journal.recovery.items(("dead",), 1_000)
    return Plain(
        status="healthy" if report.status == "ok" else report.status,
        last_capture=latest[0].captured_at if latest else None,
        uptime_seconds=int((now() - state.started_at).total_seconds()),
        total_captures=sum(report.snapshots.values()),
        total_uploads=report.snapshots.get("archived", 0),
        failed_uploads=sum(item.service == "drive" for item in dead),
    )
