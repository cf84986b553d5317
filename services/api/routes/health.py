"""Health for people (/v1/health), for orchestrators (live, ready), for scrapers (/metrics)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.api.meters import CONTENT_TYPE, Meters
from services.api.needs import PUBLIC, MayRead, MayScrape
from services.api.problems import Problem
from services.api.state import HealthView, State
from shared.events import now
from shared.journal.queries.view import View
from shared.service import Context


class Plain(BaseModel):
    """The short health report that monitors of small uploaders and processing scripts expect. The
    last three are of all detectors since they began; the average is in seconds."""

    status: Literal["healthy", "degraded", "stuck"]
    last_capture: datetime | None
    uptime_seconds: int
    total_captures: int
    total_uploads: int
    failed_uploads: int
    processed_count: int
    error_count: int
    avg_processing_time: float


class Alive(BaseModel):
    status: Literal["ok"] = "ok"


_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
}


def routes(context: Context, state: State, meters: Meters) -> APIRouter:
    """The routes of health."""
    router = APIRouter(tags=["health"])

    @router.get("/v1/health")
    def get_health(visitor: MayRead) -> HealthView:
        """Each part, what waits, what is wrong; always 200 while the journal answers."""
        return state.health(visitor.view)

    @router.get("/v1/health/live", dependencies=[PUBLIC])
    async def get_live() -> Alive:
        """This process serves requests. Asks nobody else."""
        return Alive()

    @router.get("/v1/health/ready")
    def get_ready(visitor: MayScrape) -> Alive:
        """Journal and store can be used; else 503."""
        context.journal.read.newest_seq()
        context.store.volume.check()
        return Alive()

    @router.get("/health")
    def get_short_health(visitor: MayScrape) -> Plain:
        """The short report."""
        return _plain(context, state, visitor.view)

    @router.get("/metrics", response_class=Response, responses=_TEXT)
    def get_metrics(visitor: MayScrape) -> Response:
        """Prometheus exposition format, of the whole: not for who sees a part."""
        if not visitor.view.whole:
            raise Problem(403, "not-allowed", "These figures are of all cameras.")
        return Response(meters.text(), media_type=CONTENT_TYPE)

    return router


def _plain(context: Context, state: State, view: View) -> Plain:
    report = state.health(view)
    latest = context.journal.read.within(view).snapshots(limit=1)
    detectors = [each.about for each in state.statuses() if each.service == "detector"]
    done, failed, seconds = (
        [float(about.get(name, 0)) for about in detectors]
        for name in ("processed_count", "error_count", "avg_processing_time")
    )
    weighted = sum(count * average for count, average in zip(done, seconds, strict=True))
    dead = context.journal.recovery.items(("dead",), 1_000, view)
    return Plain(
        status="healthy" if report.status == "ok" else report.status,
        last_capture=latest[0].captured_at if latest else None,
        uptime_seconds=int((now() - state.started_at).total_seconds()),
        total_captures=sum(report.snapshots.values()),
        total_uploads=report.snapshots.get("archived", 0),
        failed_uploads=sum(item.service == "drive" for item in dead),
        processed_count=int(sum(done)),
        error_count=int(sum(failed)),
        avg_processing_time=round(weighted / sum(done), 6) if any(done) else 0.0,
    )
