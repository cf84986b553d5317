"""/api/snapshots: pictures as forms, in the words of source document 000.

A sender of that document knows two refusals, ``{"error": …}`` with 401 and with 400; the others are
problems like everywhere, with ``error`` beside their members.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from services.api.doors.arrivals import arrival
from services.api.doors.body import announced, read
from services.api.doors.form import OVERHEAD_BYTES, Form, no_file
from services.api.doors.http_door import HttpDoor
from services.api.doors.raw import Key, TakenAt
from services.api.doors.results import Results
from services.api.needs import MayBring, MayBringOrRead
from services.api.problems import HANDLED, MEDIA_TYPE, Problem, answered
from shared.access import Visitor
from shared.ingest.intake import Accepted

_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "camera": {
            "type": "string",
            "description": "whose picture it is, if the key leaves it open",
        },
    },
}


class Result(BaseModel):
    """``analysis``: what was found, in words."""

    timestamp: str
    filename: str
    analysis: str
    id: str
    camera: str
    detections: list[dict[str, Any]]


class Done(BaseModel):
    """The picture is safe and analysed."""

    status: str
    result: Result


class Pending(BaseModel):
    """The picture is safe; its result will be at ``link``."""

    status: str
    id: str
    link: str


class Refused(BaseModel):
    """What was wrong."""

    error: str


class _Route(APIRoute):
    """A route whose errors a sender of that document understands."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except HANDLED as error:
                return _with_error(await answered(request, error))

        return handled


def _with_error(refusal: JSONResponse) -> JSONResponse:
    kept = {name: value for name, value in refusal.headers.items() if name not in _OF_BODY}
    problem = json.loads(bytes(refusal.body))
    if refusal.status_code == 401:
        return JSONResponse({"error": "Unauthorized"}, 401, kept)
    if refusal.status_code == 400:
        return JSONResponse({"error": problem["detail"]}, 400, kept)
    told = problem | {"error": problem["detail"]}
    return JSONResponse(told, refusal.status_code, kept, media_type=refusal.media_type)


_OF_BODY = ("content-length", "content-type")
_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"model": Pending, "description": "The picture is safe, and not analysed yet."},
    400: {
        "model": Refused,
        "description": "There is no file in the request.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    },
    401: {"model": Refused, "description": "No key, or a wrong one."},
}


def routes(door: HttpDoor, results: Results) -> APIRouter:
    """The routes of this document."""
    router = APIRouter(prefix="/api", tags=["doors"], route_class=_Route)

    @router.post(
        "/snapshots",
        response_model=Done,
        responses=_ANSWERS,
        openapi_extra={
            "requestBody": {
                "required": True, "content": {"multipart/form-data": {"schema": _FORM}},
            }
        },
    )  # fmt: skip
    async def upload_snapshot(
        request: Request,
        visitor: MayBring,
        camera: Annotated[str, Query(max_length=64, description="if the key leaves it open")] = "",
        captured_at: TakenAt = "",
        idempotency_key: Key = "",
    ) -> JSONResponse:
        """Bring a picture as the part `file` of a form, and wait for what is found in it; 202 with
        a link when that takes longer than `api.doors.result_s`."""
        accepted, name = await _taken(door, request, visitor, camera, captured_at, idempotency_key)
        wait_s = door.pace.result_s
        result = await results.wait(visitor, accepted.snapshot_id, name, wait_s)
        return _told(accepted.snapshot_id, result)

    @router.get("/snapshots/{snapshot_id}", response_model=Done, responses=_ANSWERS)
    async def get_upload(
        snapshot_id: Annotated[str, Path(max_length=64)], visitor: MayBringOrRead
    ) -> JSONResponse:
        """What became of a picture that was brought: its result, or 202 while there is none."""
        result = await run_in_threadpool(results.of, visitor, snapshot_id)
        return _told(snapshot_id, result)

    return router


async def _taken(
    door: HttpDoor, request: Request, visitor: Visitor, camera: str, taken: str, key: str
) -> tuple[Accepted, str]:
    """The picture of a form, and its camera. Raises Problem, SnapbusError."""
    form = Form(request.headers.get("content-type", ""), "file")
    most = door.max_bytes + OVERHEAD_BYTES
    length = announced(request, most)
    camera = camera or door.of_key(visitor)
    if camera:  # a stranger takes no place of its senders, and learns nothing of its quota
        door.camera(visitor, camera)
    async with door.receiving(camera, max(length - OVERHEAD_BYTES, 0)) as upload:

        async def take(piece: bytes) -> None:
            for found in form.read(piece):
                await upload.write(found)

        await read(request, most, door.pace, take)
        name = form.finish()
        if not upload.size:
            raise no_file()
        camera = form.fields.get("camera", camera)
        if not camera:
            raise Problem(422, "no-camera", "Say whose picture it is, such as ?camera=porch.")
        section = door.camera(visitor, camera)
        door.is_of(upload, camera)
        known = arrival(camera, section, name=name, taken=taken, key=key)
        return await door.store(upload, known), camera


def _told(snapshot_id: str, result: dict[str, Any] | None) -> JSONResponse:
    if result is not None:
        return JSONResponse({"status": "success", "result": result}, 200)
    link = f"/api/snapshots/{snapshot_id}"
    pending = {"status": "pending", "id": snapshot_id, "link": link}
    return JSONResponse(pending, 202, {"Location": link, "Retry-After": "2"})
