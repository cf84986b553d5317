"""Wires the API: what follows the journal, what answers requests, what serves them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI

from services.api import problems
from services.api.derivatives import Derivatives
from services.api.guard import Guard
from services.api.meters import Meters
from services.api.routes import cameras, events, health, media, page, snapshots, work
from services.api.server import HttpServer
from services.api.state import State
from services.api.tail import Tail
from shared.picture.decode import Limits
from shared.service import Context, Service, switched_off

log = logging.getLogger(__name__)

SWEEP_S = 3_600.0


def build(context: Context) -> Service:
    """The service ``api``."""
    settings, read = context.settings, context.journal.read
    if not settings.api.enabled:
        return switched_off("api")
    detector = settings.detector
    limits = Limits(max_pixels=detector.max_pixels, strict=detector.strict)
    derivatives = Derivatives(context.store, limits, settings.api.thumbnail_px)
    state = State(settings, context.cameras, read, context.store, _version())
    meters = Meters(state, read)
    tail = Tail(read, meters.observe)
    app = _app(context, state, meters, tail, derivatives)
    server = HttpServer(
        Guard(app, settings.api.hosts), settings.api.host, settings.api.port, tail.end
    )

    def about() -> Mapping[str, Any]:
        where = f"page on port {server.port}" if server.is_open else "page is not open yet"
        behind = ", but events wait for the journal" if tail.is_behind else ""
        return {
            "ok": server.is_open and not tail.is_behind,
            "summary": f"{where}, {tail.watchers} watching{behind}",
            "port": server.port,
            "streams": tail.watchers,
        }

    return Service(name="api", sources=[server], about=about)


def _app(
    context: Context, state: State, meters: Meters, tail: Tail, derivatives: Derivatives
) -> FastAPI:
    read = context.journal.read
    app = FastAPI(
        title="Snapbus",
        version=state.version,
        description="Snapshots of cameras: what is there, what was seen, what happened to each.",
        docs_url=None,
        redoc_url=None,
        lifespan=lambda _app: _followed(tail, derivatives),
    )
    problems.install(app)
    files = media.Media(context.store, read, derivatives)
    for router in (
        snapshots.routes(context.cameras, read),
        media.routes(files, derivatives),
        events.routes(tail, state.version),
        cameras.routes(context, state),
        work.routes(context.journal.recovery),
        health.routes(context, state, meters),
        page.routes(state.version),
    ):
        app.include_router(router)
    app.mount("/static", page.assets())
    return app


@asynccontextmanager
async def _followed(tail: Tail, derivatives: Derivatives) -> AsyncIterator[None]:
    """Follow the journal while the server runs."""
    jobs = [asyncio.create_task(job) for job in (tail.run(), tail.beat(), _swept(derivatives))]
    for job in jobs:
        job.add_done_callback(_tell)
    try:
        yield
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.wait(jobs)


def _tell(job: asyncio.Task[None]) -> None:
    if not job.cancelled() and (error := job.exception()):
        log.error("a job of the page ended", exc_info=error, extra={"action": "job_ended"})


async def _swept(derivatives: Derivatives) -> None:
    while True:
        await asyncio.to_thread(derivatives.sweep)
        await asyncio.sleep(SWEEP_S)


def _version() -> str:
    try:
        return version("snapbus")
    except PackageNotFoundError:
        return "development"
