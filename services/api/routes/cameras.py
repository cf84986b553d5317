"""/v1/cameras: what cameras there are, how they do, and asking one for a picture now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel
from ulid import ULID

from services.api.problems import Problem
from services.api.state import State
from services.api.views import OpenWorkView, SnapshotView, open_work_view, place, snapshot_view
from shared.events import (
    CameraFailed,
    CameraTested,
    Door,
    Event,
    SnapshotRequested,
    SnapshotTaken,
    now,
)
from shared.journal.queries.events import Recorded
from shared.service import Context
from shared.settings.cameras import CameraSection, FetchSection, FtpAccountSection

REQUEST_EXPIRES = timedelta(minutes=2)
LATEST = 300
"""So many of the newest failures and tests are looked through for the last one of each camera."""


class DoorView(BaseModel):
    """One way in which a camera delivers. For ftp: where to send; for fetch: how often it is
    asked, null for only on request."""

    kind: Door
    port: int | None = None
    account: str = ""
    every_s: float | None = None


class Happening(BaseModel):
    """When something last happened to a camera, and why."""

    time: datetime
    reason: str = ""


class CameraView(BaseModel):
    """One camera. ``can_be_asked``: a picture can be requested. ``failing``: its last try did."""

    name: str
    place: str
    configured: bool
    doors: list[DoorView]
    can_be_asked: bool
    failing: bool
    last_snapshot: SnapshotView | None
    last_failure: Happening | None
    last_test: Happening | None
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


def routes(context: Context, state: State) -> APIRouter:
    """The routes of cameras."""
    router = APIRouter(prefix="/v1", tags=["cameras"])
    read = context.journal.read

    @router.get("/cameras")
    def cameras() -> list[CameraView]:
        """Every camera that is configured or ever sent something."""
        return _cameras(context, state)

    @router.post("/cameras/{name}/snapshots", status_code=202)
    def request_snapshot(
        name: str,
        response: Response,
        idempotency_key: Annotated[
            str, Header(max_length=128, description="equal keys make one request")
        ] = "",
    ) -> Accepted:
        """Ask a camera for a picture now. The answer says where to see what became of it."""
        _check_askable(name, context.cameras.get(name))
        requested = _request(name, idempotency_key)
        context.record([requested])
        url = f"/v1/requests/{requested.id}"
        response.headers["Location"] = url
        return Accepted(id=requested.id, url=url)

    @router.get("/requests/{event_id}")
    def request(event_id: str) -> RequestView:
        """What became of a request for a picture."""
        found = read.event(event_id)
        if found is None or found.event.topic != SnapshotRequested.topic:
            raise Problem(404, "no-such-request", "There is no request with this id.")
        work = [open_work_view(row) for row in read.open_work(event_id=event_id)]
        return _outcome(found, read.answers(found), work)

    return router


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


def _request(camera: str, key: str) -> Event:
    data = SnapshotRequested(
        camera=camera,
        reason="manual",
        requested_by="api",
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
        if answer.event.topic == SnapshotTaken.topic:
            found = {"state": "done", "snapshot": f"/v1/snapshots/{answer.event.snapshot_id}"}
            return view.model_copy(update=found)
        if answer.event.topic == CameraFailed.topic:
            reason = str(answer.event.data.get("reason", ""))
            view = view.model_copy(update={"state": "failed", "reason": reason})
    if view.state == "waiting" and any(row.status == "dead" for row in work):
        return view.model_copy(update={"state": "failed", "reason": work[-1].error})
    return view


def _cameras(context: Context, state: State) -> list[CameraView]:
    settings, read = context.settings, context.journal.read
    counts = state.counts()
    configured = context.cameras.now()
    names = [*configured, *sorted(set(counts) - set(configured))]
    newest = read.last_snapshots(names)
    snapshots = read.snapshots_of(list(newest.values()))
    failures = _latest(context, CameraFailed.topic)
    tests = _latest(context, CameraTested.topic)
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
                doors=_doors(name, section, settings.ftp.port) if section else [],
                can_be_asked=bool(section and section.fetch),
                failing=bool(failure and (last is None or failure.time > last.received_at)),
                last_snapshot=snapshot_view(last, configured) if last else None,
                last_failure=failure,
                last_test=tests.get(name),
                counts=counts.get(name, {}),
            )
        )
    return views


def _doors(name: str, camera: CameraSection, ftp_port: int) -> list[DoorView]:
    views = []
    for kind, section in camera.doors.items():
        match section:
            case FtpAccountSection():
                account = section.username or name
                views.append(DoorView(kind=kind, port=ftp_port, account=account))
            case FetchSection():
                views.append(DoorView(kind=kind, every_s=section.every_s))
            case _:
                views.append(DoorView(kind=kind))
    return views


def _latest(context: Context, topic: str) -> dict[str, Happening]:
    found: dict[str, Happening] = {}
    for each in context.journal.read.latest_events(LATEST, topic=topic):
        reason = str(each.event.data.get("reason", ""))
        found.setdefault(each.event.subject, Happening(time=each.event.time, reason=reason))
    return found
