"""/v1/events: everything that happens, as it happens (Server-Sent Events)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from services.api.extensions import ABORT
from services.api.needs import MayRead
from services.api.problems import Problem
from services.api.tail import Tail
from services.api.watchers import Wish
from shared.access.visitor import Visitor

MOST_STREAMS = 1_000
MOST_OF_ONE = 50
"""Streams of one login or key: who opens more leaves room for others."""

_EXAMPLE = (
    "retry: 3000\nid: 5f1f2f2e\nevent: hello\n"
    'data: {"version": "0.1.0", "lost": false, "topics": ["camera.failed"]}\n\n'
    "id: 9a3c11d0\nevent: snapshot.taken\n"
    'data: {"specversion": "1.0", "type": "snapshot.taken", "subject": "porch"}\n\n'
    ": still here\n\n"
)
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
        "description": "Frames of Server-Sent Events, until you close the connection. The first is "
        "`hello`; its id resumes a stream that told nothing yet.",
    }
}
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def routes(tail: Tail, version: str) -> APIRouter:
    """The route of the stream."""
    router = APIRouter(prefix="/v1", tags=["events"])

    @router.get("/events", response_class=StreamingResponse, responses=_ANSWERS)
    async def follow_events(
        request: Request,
        visitor: MayRead,
        topic: Annotated[list[str], Query(description="such as snapshot.analyzed, camera.*")] = [],  # noqa: B006
        camera: Annotated[list[str], Query(description="names of cameras")] = [],  # noqa: B006
        last_event_id: Annotated[
            str, Header(max_length=64, description="id of the last event you got")
        ] = "",
    ) -> StreamingResponse:
        """Each frame: `id` is the event's id, `event` its topic, `data` the CloudEvent as on the
        bus. A comment keeps the connection alive every 15 seconds, a `ping` every 30. Reconnect
        with Last-Event-ID to miss nothing; an event may then come twice, with the same id."""
        check_room(tail, visitor)
        abort = request.scope.get("extensions", {}).get(ABORT, {}).get("abort", _nothing)
        await tail.started()
        wish = Wish(visitor, tuple(topic), tuple(camera))
        frames = tail.follow(wish, last_event_id, abort, version)
        return StreamingResponse(frames, media_type="text/event-stream", headers=_HEADERS)

    return router


def check_room(tail: Tail, visitor: Visitor) -> None:
    """Raises Problem when no further stream can be opened, by anybody or by this visitor."""
    streams = tail.streams
    if len(streams) >= MOST_STREAMS:
        detail = f"{MOST_STREAMS} streams are open already."
        raise Problem(503, "too-many-streams", detail, {"Retry-After": "30"})
    mine = [each for each in streams if each.wish.visitor.credential == visitor.credential]
    if visitor.credential and len(mine) >= MOST_OF_ONE:
        detail = f"{MOST_OF_ONE} streams of yours are open already."
        raise Problem(429, "too-many-streams", detail, {"Retry-After": "30"})


def _nothing() -> None:
    return None
