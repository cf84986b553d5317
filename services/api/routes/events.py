"""/v1/events: everything that happens, as it happens (Server-Sent Events)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from services.api.problems import Problem
from services.api.server import ABORT
from services.api.tail import Tail
from services.api.watchers import Wish

MOST_STREAMS = 1_000

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "until you close it"}
}
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def routes(tail: Tail, version: str) -> APIRouter:
    """The route of the stream."""
    router = APIRouter(prefix="/v1", tags=["events"])

    @router.get("/events", response_class=StreamingResponse, responses=_ANSWERS)
    async def stream(
        request: Request,
        topic: Annotated[list[str], Query(description="such as snapshot.analyzed, camera.*")] = [],  # noqa: B006
        camera: Annotated[list[str], Query(description="names of cameras")] = [],  # noqa: B006
        last_event_id: Annotated[
            str, Header(max_length=64, description="id of the last event you got")
        ] = "",
    ) -> StreamingResponse:
        """Each frame: `id` is the event's id, `event` its topic, `data` the CloudEvent as on the
        bus. A comment keeps the connection alive every 15 seconds, a `ping` every 30. Reconnect
        with Last-Event-ID to miss nothing; an event may then come twice, with the same id."""
        if tail.watchers >= MOST_STREAMS:
            detail = f"{MOST_STREAMS} streams are open already."
            raise Problem(503, "too-many-streams", detail, {"Retry-After": "30"})
        abort = request.scope.get("extensions", {}).get(ABORT, {}).get("abort", _nothing)
        await tail.started()
        frames = tail.follow(Wish(tuple(topic), tuple(camera)), last_event_id, abort, version)
        return StreamingResponse(frames, media_type="text/event-stream", headers=_HEADERS)

    return router


def _nothing() -> None:
    return None
