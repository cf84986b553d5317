"""/v1/captures: pictures in JSON, in the words of source document 002; ``device_id`` is a camera.

The JSON waits in a file of the store like a picture, and one is read at a time, because that takes
several times its size in memory.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from services.api.doors.arrivals import KEY_CHARACTERS, arrival
from services.api.doors.body import announced, read
from services.api.doors.http_door import HttpDoor
from services.api.doors.raw import Key
from services.api.doors.upload import refusal
from services.api.guard import check_text
from services.api.needs import MayBring
from services.api.problems import Problem
from shared.access import Visitor
from shared.errors import PictureError
from shared.ingest.intake import Accepted
from shared.store import Part

READ_AT_ONCE = 1
OVERHEAD_BYTES = 65_536
"""So much the JSON may be larger than its picture as base64."""
METADATA_BYTES = 4_096
PIECE = 262_144
"""Characters of base64 that are decoded at once; a multiple of four."""
_JSON = "application/json"
Text = Annotated[str, Field(max_length=200)]


class Capture(BaseModel):
    """A picture of a device. ``image_base64`` may be a data URL. What else a device says is
    allowed, and means nothing here."""

    model_config = ConfigDict(extra="ignore")

    device_id: Annotated[str, Field(min_length=1, max_length=64)]
    image_base64: Annotated[str, Field(min_length=1)]
    captured_at: Annotated[str, Field(max_length=40)] = ""
    trigger_id: Annotated[str, Field(max_length=KEY_CHARACTERS)] | None = None
    trigger_label: Text | None = None
    metadata: dict[str, Any] | None = None


class Captured(BaseModel):
    """The snapshot is safe; ``evaluation_status`` is that of the moment."""

    record_id: str
    status: Literal["uploaded"]
    evaluation_status: Literal["pending"]


def routes(door: HttpDoor) -> APIRouter:
    """The route of captures."""
    router = APIRouter(prefix="/v1/captures", tags=["doors"])
    reading = CapacityLimiter(READ_AT_ONCE)

    @router.post(
        "",
        status_code=201,
        response_model=Captured,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": Capture.model_json_schema()}},
            }
        },
    )
    async def upload_capture(
        request: Request, visitor: MayBring, idempotency_key: Key = ""
    ) -> JSONResponse:
        """Bring a picture in JSON. A `trigger_id` is an idempotency key: sent again, the answer is
        the same."""
        accepted = await _taken(door, request, visitor, idempotency_key, reading)
        return JSONResponse(
            {
                "record_id": accepted.snapshot_id,
                "status": "uploaded",
                "evaluation_status": "pending",
            },
            201,
            {"Location": f"/v1/snapshots/{accepted.snapshot_id}"},
        )

    return router


async def _taken(
    door: HttpDoor, request: Request, visitor: Visitor, key: str, reading: CapacityLimiter
) -> Accepted:
    """The picture of a capture. Raises Problem, RequestValidationError, SnapbusError."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise Problem(415, "json-expected", f"Send the body as {_JSON}.")
    most = door.max_bytes * 4 // 3 + OVERHEAD_BYTES
    length = announced(request, most)
    async with door.receiving(door.of_key(visitor), length * 3 // 4, most) as upload:
        await read(request, most, door.pace, upload.write)
        capture = await to_thread.run_sync(_read, upload.part, limiter=reading)
        camera = capture.device_id.lower()
        section = door.camera(visitor, camera)
        known = arrival(
            camera, section, taken=capture.captured_at, key=key or capture.trigger_id or "",
            trigger=door.trigger(capture.trigger_label or ""), metadata=_said(capture),
        )  # fmt: skip
        picture = await to_thread.run_sync(
            _decoded, capture.image_base64, door.new_part, limiter=reading
        )
        await upload.becomes(picture)
        door.is_of(upload, camera)
        return await door.store(upload, known)


def _read(part: Part) -> Capture:
    with part.mapped() as data:
        try:
            value = from_json(bytes(data), allow_inf_nan=False)
        except ValueError as error:
            raise Problem(422, "invalid-request", f"body: {error}") from None
    try:
        return Capture.model_validate(value)
    except ValidationError as error:
        told = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError(
            [each | {"loc": ("body", *each["loc"])} for each in told]
        ) from None


def _said(capture: Capture) -> dict[str, Any]:
    """What the sender says besides, if any database can keep it."""
    said = dict(capture.metadata or {})
    said |= {
        name: text
        for name in ("trigger_id", "trigger_label")
        if (text := getattr(capture, name)) is not None
    }
    try:
        written = json.dumps(said, allow_nan=False).encode()
    except ValueError:
        raise Problem(422, "invalid-request", "metadata: a number in it is too large.") from None
    if len(written) > METADATA_BYTES:
        told = f"metadata: at most {METADATA_BYTES} bytes are kept."
        raise Problem(422, "invalid-request", told)
    check_text(written)
    return said


def _decoded(text: str, new_part: Callable[[], Part]) -> Part:
    """The bytes of a picture as base64. Raises Problem, StoreError."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    text = text.translate(_BLANKS)
    part = new_part()
    try:
        if len(text) % 4:
            raise binascii.Error("its length is no multiple of four")
        for start in range(0, len(text), PIECE):
            piece = text[start : start + PIECE]
            if "=" in piece and start + PIECE < len(text):
                raise binascii.Error("it goes on behind its padding")
            part.write(binascii.a2b_base64(piece, strict_mode=True))
    except (binascii.Error, ValueError) as error:
        part.discard()
        told = f"image_base64: this is no base64: {error}".rstrip(".")
        raise Problem(422, "invalid-request", f"{told}.") from None
    except PictureError as error:
        part.discard()
        raise refusal(error) from error
    except BaseException:
        part.discard()
        raise
    return part


_BLANKS = dict.fromkeys(map(ord, " \t\r\n"))
