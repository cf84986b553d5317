"""Pictures as the body of a request, and nothing around them: the fast way."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel

from services.api.doors.arrivals import KEY_CHARACTERS, arrival
from services.api.doors.http_door import HttpDoor
from services.api.needs import BRINGS, MayBring
from services.api.parameters import known_only
from shared.access import Visitor

TIME_CHARACTERS = 40
Key = Annotated[
    str,
    Header(
        max_length=KEY_CHARACTERS,
        description="yours for this picture: sent again with it, the answer is the same",
    ),
]
TakenAt = Annotated[
    str,
    Query(
        max_length=TIME_CHARACTERS,
        description="when it was taken, such as 2026-11-21T17:00:00Z; empty: as its name says",
    ),
]
_BYTES = {"schema": {"type": "string", "format": "binary"}}
PICTURE: dict[str, Any] = dict.fromkeys(
    ("image/jpeg", "image/png", "application/octet-stream"), _BYTES
)
"""What a body may be. The bytes decide, whatever the header says."""


class Kept(BaseModel):
    """The snapshot that was made of a picture; ``duplicate``: it was there already."""

    id: str
    url: str
    duplicate: bool


async def take(
    door: HttpDoor,
    request: Request,
    visitor: Visitor,
    camera: str,
    *,
    name: str = "",
    taken: str = "",
    key: str = "",
) -> JSONResponse:
    """Take the body of this request as a picture of a camera. Raises Problem, SnapbusError."""
    known = arrival(camera, door.camera(visitor, camera), name=name, taken=taken, key=key)
    accepted = await door.whole(request, camera, known)
    url = f"/v1/snapshots/{accepted.snapshot_id}"
    kept = {"id": accepted.snapshot_id, "url": url, "duplicate": accepted.duplicate}
    return JSONResponse(kept, 201, {"Location": url})


class _Direct(APIRoute):
    """Calls its function itself: what FastAPI does before it costs as much as all of the rest that
    is done in the event loop for a picture. The function's signature is what it checks."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        async def handle(request: Request) -> Response:
            await known_only(request)
            visitor = await BRINGS(request)
            said = {
                "captured_at": request.query_params.get("captured_at", ""),
                "idempotency_key": request.headers.get("idempotency-key", ""),
            }
            for name, most in (
                ("captured_at", TIME_CHARACTERS),
                ("idempotency_key", KEY_CHARACTERS),
            ):
                if len(said[name]) > most:
                    told = f"at most {most} characters"
                    raise RequestValidationError([{"loc": (name,), "msg": told}])
            answer: Response = await self.endpoint(
                request, visitor=visitor, **request.path_params, **said
            )
            return answer

        return handle


def routes(door: HttpDoor) -> APIRouter:
    """The route of pictures with a name."""
    router = APIRouter(prefix="/v1", tags=["doors"], route_class=_Direct)

    @router.put(
        "/cameras/{name}/snapshots/{filename:path}",
        status_code=201,
        response_model=Kept,
        openapi_extra={"requestBody": {"required": True, "content": PICTURE}},
    )
    async def put_snapshot(
        request: Request,
        name: str,
        filename: Annotated[str, Path(description="what you call it: data, never a path")],
        visitor: MayBring,
        captured_at: TakenAt = "",
        idempotency_key: Key = "",
    ) -> JSONResponse:
        """Bring a picture: JPEG or PNG. When this is answered it is safe. The same name with the
        same bytes within 15 minutes is one snapshot, however often it is sent; with other bytes it
        is another one, and replaces nothing."""
        return await take(
            door, request, visitor, name, name=filename, taken=captured_at, key=idempotency_key
        )

    return router
