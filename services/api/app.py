"""Wires the API: what follows the journal, what answers requests, what serves them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import APIRouter, Depends, FastAPI

from services.api import openapi, problems
from services.api.derivatives import Derivatives
from services.api.door import Door
from services.api.doors import captures, raw, uploads
from services.api.doors.http_door import HttpDoor
from services.api.doors.results import Results
from services.api.first import tell
from services.api.guard import Guard
from services.api.meters import Meters
from services.api.needs import undeclared
from services.api.parameters import known_only
from services.api.revocation import end_revoked
from services.api.routes import (
    cameras,
    counts,
    events,
    health,
    keys,
    latest,
    media,
    page,
    people,
    session,
    snapshots,
    sso,
    work,
)
from services.api.server import HttpServer
from services.api.state import State
from services.api.tail import Tail
from services.api.times import Calendar
from services.api.tls import Certificate, files_of
from shared.access import Access
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
    access = Access(context.journal, context.announce)
    door = Door(access, settings.api)
    limits = Limits(detector.max_pixels, detector.strict, detector.decode_seconds)
    pictures = settings.api.thumbnail_px, settings.api.memory_bytes
    derivatives = Derivatives(context.store, limits, *pictures)
    state = State(settings, context.cameras, read, context.store, _version())
    meters = Meters(state, read)
    tail = Tail(read, meters.observe)
    http = HttpDoor(context)
    app = _app(context, state, meters, tail, derivatives, door, http)
    api = settings.api
    files = files_of(api)
    certificate = Certificate(files) if files else None
    guard = Guard(app, api.hosts, door.is_secure)
    server = HttpServer(guard, api.host, (api.port, *api.more_ports), tail.end, certificate)

    def about() -> Mapping[str, Any]:
        where = f"page on port {server.port}" if server.is_open else "page is not open yet"
        behind = ", but events wait for the journal" if tail.is_behind else ""
        over = http.quota.over
        full = f"; over the quota of today: {', '.join(over)}" if over else ""
        return {
            "ok": server.is_open and not tail.is_behind,
            "summary": f"{where}, {tail.watchers} watching{behind}{full}",
            "port": server.port,
            "over_quota": over,
            "streams": tail.watchers,
        }

    return Service(name="api", sources=[server], about=about)


def _app(
    context: Context,
    state: State,
    meters: Meters,
    tail: Tail,
    derivatives: Derivatives,
    door: Door,
    http: HttpDoor,
) -> FastAPI:
    app = FastAPI(
        title="Snapbus",
        version=state.version,
        description="Snapshots of cameras: what is there, what was seen, what happened to each.",
        openapi_url=None,
        generate_unique_id_function=openapi.operation_id,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(known_only)],
        lifespan=lambda _app: _followed(tail, derivatives, door, http),
    )
    problems.install(app)
    openapi.install(app)
    for router in _routers(context, state, meters, tail, derivatives, http):
        app.include_router(router)
    app.mount("/static", page.assets())
    app.state.door = door
    if silent := undeclared(app):
        raise RuntimeError(f"routes that declare no need: {silent}")
    return app


def _routers(
    context: Context,
    state: State,
    meters: Meters,
    tail: Tail,
    derivatives: Derivatives,
    http: HttpDoor,
) -> Sequence[APIRouter]:
    read = context.journal.read
    files = media.Media(context.store, read, derivatives)
    calendar = Calendar.of(context.settings)
    return (
        raw.routes(http),  # first: they are looked through in this order
        snapshots.routes(context.cameras, read, calendar),
        counts.routes(read, calendar),
        latest.routes(latest.Latest(context, files, derivatives, tail)),
        media.routes(files, derivatives),
        events.routes(tail, state.version),
        cameras.routes(context, state, http),
        uploads.routes(http, Results(read, tail, context.settings.analyzers[0])),
        captures.routes(http),
        work.routes(context.journal.recovery),
        session.routes(),
        sso.routes(),
        people.routes(context.cameras),
        keys.routes(context.cameras, calendar),
        health.routes(context, state, meters),
        page.routes(state.version),
    )


@asynccontextmanager
async def _followed(
    tail: Tail, derivatives: Derivatives, door: Door, http: HttpDoor
) -> AsyncIterator[None]:
    """Follow the journal and take pictures while the server runs."""
    work = (
        tail.run(),
        tail.beat(),
        _swept(derivatives),
        end_revoked(tail, door.access),
        tell(door),
    )
    jobs = [asyncio.create_task(job) for job in work]
    for job in jobs:
        job.add_done_callback(_tell)
    try:
        async with http.opened():
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
