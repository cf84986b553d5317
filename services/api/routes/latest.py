"""/v1/cameras/{name}/latest.jpg: the newest picture of a camera, always at the same address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from services.api.derivatives import Derivatives
from services.api.needs import MayReadByToken, door_of
from services.api.problems import Problem
from services.api.routes.cameras import visible
from services.api.routes.events import check_room
from services.api.routes.media import JPEG, Media
from services.api.tail import Tail
from services.api.watchers import Wish
from shared.access import Visitor
from shared.errors import PictureError, SnapshotMissing
from shared.events import SnapshotTaken
from shared.journal.queries.snapshots import Snapshot
from shared.service import Context

LONGEST_WAIT_S = 60
CANDIDATES = 5
"""Of so many of the newest, the first that can be shown is the newest picture."""


class Latest:
    """Finds the newest picture of a camera, and waits for the next one."""

    def __init__(
        self, context: Context, media: Media, derivatives: Derivatives, tail: Tail
    ) -> None:
        self._context = context
        self._media = media
        self._kind = derivatives.clean_kind
        self._tail = tail

    async def answer(self, request: Request, visitor: Visitor, camera: str, known: str) -> Response:
        """The newest picture, or 304 when it is ``known``. Raises Problem when there is none."""
        for row in await run_in_threadpool(self._newest, visitor, camera):
            tag = f'"{row.id}"'
            headers = {
                "ETag": tag,
                "Cache-Control": "private, no-cache",
                "Content-Location": f"/v1/snapshots/{row.id}/picture",
            }
            if tag in known:
                return Response(status_code=304, headers=headers)
            try:
                return await self._media.file(request, row, self._kind, headers)
            except (PictureError, SnapshotMissing):
                continue  # a damaged one hides none before it
        raise Problem(404, "no-picture", "There is no picture of this camera to show yet.")

    async def news(self, visitor: Visitor, camera: str) -> AsyncGenerator[bool, None]:
        """True each time that something came from the camera, false now and then without. What
        comes from the first item on is told."""
        await self._tail.started()
        wish = Wish(visitor, (SnapshotTaken.topic,), (camera,))
        async with aclosing(self._tail.follow(wish, "", lambda: None)) as frames:
            async for frame in frames:
                yield frame.startswith(b"id:")

    def _newest(self, visitor: Visitor, camera: str) -> list[Snapshot]:
        read = self._context.journal.read.within(visitor.view)
        rows = read.snapshots(camera=camera, limit=CANDIDATES)
        if not rows and camera not in visible(self._context.cameras.now(), visitor.view):
            raise Problem(404, "no-such-camera", "There is no camera of this name.")
        return [row for row in rows if row.state != "quarantined"]

    async def wait(
        self, request: Request, visitor: Visitor, camera: str, known: str, seconds: float
    ) -> Response:
        """As ``answer``, but only once there is another picture than ``known``, or in the end."""
        check_room(self._tail, visitor)
        answer = None
        try:
            async with asyncio.timeout(seconds), aclosing(self.news(visitor, camera)) as news:
                first = True
                async for came in news:
                    if first or came:
                        answer = await self._unknown(request, visitor, camera, known)
                    if answer or await request.is_disconnected():
                        break
                    first = False
        except TimeoutError:
            pass
        # Rights may have been taken away meanwhile.
        if not await run_in_threadpool(door_of(request).access.still, visitor):
            raise Problem(401, "credential-refused", "This login or key is over.")
        return answer or await self.answer(request, visitor, camera, known)

    async def _unknown(
        self, request: Request, visitor: Visitor, camera: str, known: str
    ) -> Response | None:
        try:
            answer = await self.answer(request, visitor, camera, known)
        except Problem as problem:
            if problem.kind == "no-picture":
                return None
            raise
        return None if answer.status_code == 304 else answer


def routes(latest: Latest) -> APIRouter:
    """The route of the newest picture."""
    router = APIRouter(prefix="/v1", tags=["cameras"], default_response_class=FileResponse)

    async def get_latest_picture(
        request: Request,
        name: str,
        visitor: MayReadByToken,
        wait: Annotated[
            float,
            Query(ge=0, le=LONGEST_WAIT_S, description="seconds to wait for another picture"),
        ] = 0,
        if_none_match: Annotated[
            str, Header(max_length=200, description="ETag of the picture you have")
        ] = "",
    ) -> Response:
        """The newest picture of a camera, upright and without EXIF; Content-Location says which.
        With `If-None-Match` and `wait`, the answer comes as soon as there is another one, and is
        304 when there was none in that time."""
        if wait:
            return await latest.wait(request, visitor, name, if_none_match, wait)
        return await latest.answer(request, visitor, name, if_none_match)

    path = "/cameras/{name}/latest.jpg"
    router.get(path, responses=JPEG)(get_latest_picture)
    router.head(path, include_in_schema=False)(get_latest_picture)
    return router
