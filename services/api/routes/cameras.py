"""/v1/cameras: what cameras there are, how they do, and asking one for a picture now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from ulid import ULID

from services.api.doors import raw
from services.api.doors.http_door import HttpDoor
from services.api.doors.which import brings_picture
from services.api.happenings import Happening, latest
from services.api.needs import MayFollow, MayRead, MayRequestOrBring
from services.api.open_work import OpenWorkView, open_work_view
from services.api.problems import Problem
from services.api.state import State
from services.api.views import Cameras, SnapshotView, place, snapshot_view
from shared.access import Visitor
from shared.events import (
    CameraFailed,
    CameraTested,
    Door,
    Event,
    SnapshotRequested,
    SnapshotShared,
    SnapshotTaken,
    now,
)
from shared.journal.queries.events import Recorded
from shared.journal.queries.view import View
from shared.service import Context
from shared.settings import Settings
from shared.settings.cameras import CameraSection, FtpAccountSection, MailAccountSection
from shared.settings.fetch import FetchSection

REQUEST_EXPIRES = timedelta(minutes=2)
_OPTIONS: dict[str, Any] = {
    "responses": {201: {"model": raw.Kept, "description": "The picture is safe."}},
    "openapi_extra": {"requestBody": {"content": raw.PICTURE}},
}


class DoorView(BaseModel):
    """One way in which a camera delivers. For ftp and mail: where to send, and for mail where with
    TLS from the start; for fetch: how often it is asked, null for only on request."""

    kind: Door
    port: int | None = None
    tls_port: int | None = None
    account: str = ""
    every_s: float | None = None


class CameraView(BaseModel):
    """One camera. ``can_be_asked``: a picture can be requested. ``failing``: its last try did.
    ``seen``: how its last picture was got, in words, and when, if it was asked since the last
    start."""

    name: str
    place: str
    configured: bool
    doors: list[DoorView]
    can_be_asked: bool
    failing: bool
    last_snapshot: SnapshotView | None
    last_failure: Happening | None
    last_test: Happening | None
    seen: str
    seen_at: datetime | None
    counts: dict[str, int]


class RequestView(BaseModel):
    """What became of a request: done with a snapshot, failed with a reason, or waiting."""

    id: str
    camera: str
    requested_at: datetime
    state: Literal["waiting", "done", "failed"]
    snapshot: str | None = None
    reason: str = ""
    work: list[OpenWorkView] = []


class Accepted(BaseModel):
    """The id of the event ``snapshot.requested``, and where its outcome will be."""

    id: str
    url: str


def routes(context: Context, state: State, door: HttpDoor) -> APIRouter:
    """The routes of cameras."""
    router = APIRouter(prefix="/v1", tags=["cameras"])

    @router.get("/cameras")
    def list_cameras(visitor: MayRead) -> list[CameraView]:
        """Every camera that is configured or ever sent something."""
        return _cameras(context, state, visitor.view)

    @router.post("/cameras/{name}/snapshots", status_code=202, response_model=Accepted, **_OPTIONS)
    async def request_snapshot(
        request: Request,
        name: str,
        visitor: MayRequestOrBring,
        captured_at: raw.TakenAt = "",
        idempotency_key: raw.Key = "",
    ) -> JSONResponse:
        """Ask a camera for a picture now; the answer says where to see what became of it. Or, with
        a picture as the body, bring one: as with PUT, but it has no name."""
        if brings_picture(request.scope):
            return await raw.take(
                door, request, visitor, name, taken=captured_at, key=idempotency_key
            )
        return await run_in_threadpool(_ask, context, visitor, name, idempotency_key)

    @router.get("/requests/{event_id}")
    def get_request(event_id: str, visitor: MayFollow) -> RequestView:
        """What became of a request for a picture."""
        read = context.journal.read.within(visitor.view)
        found = read.event(event_id)
        if found is None or found.event.topic != SnapshotRequested.topic:
            raise Problem(404, "no-such-request", "There is no request with this id.")
        work = [open_work_view(row) for row in read.open_work(event_id=event_id)]
        return _outcome(found, read.answers(found), work)

    return router


def _ask(context: Context, visitor: Visitor, name: str, key: str) -> JSONResponse:
    _check_askable(name, visible(context.cameras.now(), visitor.view).get(name))
    requested = _request(name, visitor.name, key)
    context.record([requested])
    url = f"/v1/requests/{requested.id}"
    return JSONResponse({"id": requested.id, "url": url}, 202, {"Location": url})


def visible(cameras: Cameras, view: View) -> Cameras:
    """Those of the cameras that exist for a view."""
    return {name: each for name, each in cameras.items() if view.sees(each.organisation, name)}


def _check_askable(name: str, camera: CameraSection | None) -> None:
    if camera is None:
        raise Problem(404, "no-such-camera", "No camera of this name is configured.")
    if camera.fetch is None:
        how = f"it delivers by {' and '.join(camera.doors)}" if camera.doors else "it has no door"
        raise Problem(
            409,
            "camera-cannot-be-asked",
            f"This camera can't be asked for a picture: {how}. Add cameras.{name}.fetch to the "
            "configuration with the address of its still picture.",
        )


def _request(camera: str, who: str, key: str) -> Event:
    data = SnapshotRequested(
        camera=camera,
        reason="manual",
        requested_by=who,
        expires_at=now() + REQUEST_EXPIRES,
    )
    return data.event(subject=camera, cause=f"manual:{camera}:{key or ULID()}")


def _outcome(request: Recorded, answers: list[Recorded], work: list[OpenWorkView]) -> RequestView:
    view = RequestView(
        id=request.event.id,
        camera=request.event.subject,
        requested_at=request.event.time,
        state="waiting",
        work=work,
    )
    for answer in answers:
        if answer.event.topic in (SnapshotTaken.topic, SnapshotShared.topic):
            found = {"state": "done", "snapshot": f"/v1/snapshots/{answer.event.snapshot_id}"}
            return view.model_copy(update=found)
        if answer.event.topic == CameraFailed.topic:
            reason = str(answer.event.data.get("reason", ""))
            view = view.model_copy(update={"state": "failed", "reason": reason})
    if view.state == "waiting" and any(row.status == "dead" for row in work):
        return view.model_copy(update={"state": "failed", "reason": work[-1].error})
    return view


def _cameras(context: Context, state: State, view: View) -> list[CameraView]:
    settings, read = context.settings, context.journal.read.within(view)
    counts = state.counts(view)
    configured = visible(context.cameras.now(), view)
    names = [*configured, *sorted(set(counts) - set(configured))]
    newest = read.last_snapshots(names)
    snapshots = read.snapshots_of(list(newest.values()))
    failures = latest(read, CameraFailed.topic)
    tests = latest(read, CameraTested.topic)
    asked = _asked(state)
    views = []
    for name in names:
        section = configured.get(name)
        last = snapshots.get(newest.get(name, ""))
        failure = failures.get(name)
        views.append(
            CameraView(
                name=name,
                place=place(configured, name),
                configured=section is not None,
                doors=_doors(name, section, settings) if section else [],
                can_be_asked=bool(section and section.fetch),
                failing=bool(failure and (last is None or failure.time > last.received_at)),
                last_snapshot=snapshot_view(last, configured) if last else None,
                last_failure=failure,
                last_test=tests.get(name),
                seen=str(asked.get(name, {}).get("seen", "")),
                seen_at=asked.get(name, {}).get("last_ok"),
                counts=counts.get(name, {}),
            )
        )
    return views


def _asked(state: State) -> dict[str, Any]:
    """What the camera service says of each camera that it asks."""
    found = [each.about.get("cameras", {}) for each in state.statuses() if each.service == "camera"]
    return {name: about for cameras in found for name, about in cameras.items()}


def _doors(name: str, camera: CameraSection, settings: Settings) -> list[DoorView]:
    views = []
    for kind, section in camera.doors.items():
        match section:
            case FtpAccountSection():
                account = settings.ftp.login(name, section)
                views.append(DoorView(kind=kind, port=settings.ftp.port, account=account))
            case MailAccountSection():
                account = section.username or name
                ports = {"port": settings.mail.port, "tls_port": settings.mail.tls_port}
                views.append(DoorView(kind=kind, account=account, **ports))
            case FetchSection():
                views.append(DoorView(kind=kind, every_s=section.every_s))
            case _:
                views.append(DoorView(kind=kind))
    return views
