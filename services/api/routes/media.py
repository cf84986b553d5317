"""The bytes of a snapshot: a thumbnail, a clean picture, and the original as a logged download.

Addressed by id, never by a path; the file is found by the hash in the catalogue.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from services.api.derivatives import Derivatives
from services.api.needs import MayReadByToken, note
from services.api.problems import Problem
from services.api.routes.snapshots import SnapshotId, found
from shared.access import Visitor
from shared.journal.queries.snapshots import Reader, Snapshot
from shared.store import Store

log = logging.getLogger(__name__)

BUILDERS = 1
"""Derivatives built at a time, so that browsing leaves cores and memory for detection."""

_HEADERS = {
    # A picture's bytes never change under an id; only this browser may keep them.
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
}
BINARY = {"schema": {"type": "string", "format": "binary"}}
JPEG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": BINARY}, "description": "the picture"},
    304: {"description": "It is the one that If-None-Match names."},
}
JPEG_OR_PNG = JPEG | {200: {"content": {"image/jpeg": BINARY, "image/png": BINARY}}}


class Media:
    """Finds, builds and sends the files of snapshots."""

    def __init__(self, store: Store, read: Reader, derivatives: Derivatives) -> None:
        self._store = store
        self._read = read
        self._derivatives = derivatives
        self._building = anyio.CapacityLimiter(BUILDERS)

    async def derivative(
        self, request: Request, visitor: Visitor, snapshot_id: str, kind: str
    ) -> Response:
        """A derivative of a snapshot, from the cache or freshly built."""
        row = await run_in_threadpool(found, self._read.within(visitor.view), snapshot_id)
        if row.state == "quarantined":
            raise Problem(
                404,
                "quarantined",
                "This picture is damaged and in quarantine, so there is nothing safe to show. "
                "The original can be downloaded.",
            )
        headers = _HEADERS | {"ETag": f'"{row.sha256[:32]}-{kind}"'}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return await self.file(request, row, kind, headers)

    async def file(
        self, request: Request, row: Snapshot, kind: str, headers: Mapping[str, str]
    ) -> Response:
        """A derivative, from memory if it was shown lately. Raises PictureError, SnapshotMissing,
        StoreError."""
        headers = {**_HEADERS, **headers}
        part = "range" in request.headers  # only files are sent in parts
        data = None if part else self._derivatives.remembered(kind, row.sha256)
        if data is not None:
            return _whole(data, headers)
        path = await run_in_threadpool(self._derivatives.cached, kind, row.sha256)
        if path is None:
            path = await anyio.to_thread.run_sync(
                self._derivatives.build, kind, row.sha256, limiter=self._building
            )
        if not part:
            data = await run_in_threadpool(self._derivatives.read, kind, row.sha256, path)
            if data is not None:
                return _whole(data, headers)
        return FileResponse(path, headers=headers, media_type="image/jpeg")

    async def original(self, request: Request, visitor: Visitor, snapshot_id: str) -> Response:
        """The file as the camera sent it, as a download."""
        row = await run_in_threadpool(found, self._read.within(visitor.view), snapshot_id)
        path = await run_in_threadpool(self._store.path, row.sha256)
        await run_in_threadpool(note, request, visitor, "original_downloaded", row.id, row.camera)
        log.info(
            "sent the original of a picture of %s",
            row.camera,
            extra={
                "action": "original_downloaded",
                "snapshot_id": row.id,
                "client": request.client.host if request.client else "",
            },
        )
        headers = _HEADERS | {
            "Cache-Control": "private, no-store",
            "Content-Disposition": f'attachment; filename="{download_name(row)}"',
        }
        return FileResponse(path, headers=headers, media_type=row.media_type)


def _whole(data: bytes, headers: Mapping[str, str]) -> Response:
    return Response(data, headers={**headers, "Accept-Ranges": "bytes"}, media_type="image/jpeg")


def download_name(row: Snapshot) -> str:
    """A name of our own making: what the sender called the file is data, never a path."""
    ending = "png" if row.media_type == "image/png" else "jpg"
    return f"{row.camera}_{row.captured_at:%Y-%m-%dT%H-%M-%SZ}_{row.id}.{ending}"


def routes(media: Media, derivatives: Derivatives) -> APIRouter:
    """The routes of the files."""
    router = APIRouter(prefix="/v1", tags=["snapshots"], default_response_class=FileResponse)

    async def get_picture(
        request: Request,
        snapshot_id: SnapshotId,
        visitor: MayReadByToken,
        original: Annotated[bool, Query(description="the file as it came, with EXIF")] = False,
    ) -> Response:
        """The whole picture: upright and without EXIF, or the original as a download."""
        if original:
            return await media.original(request, visitor, snapshot_id)
        return await media.derivative(request, visitor, snapshot_id, derivatives.clean_kind)

    async def get_thumbnail(
        request: Request, snapshot_id: SnapshotId, visitor: MayReadByToken
    ) -> Response:
        """A small picture, upright and without EXIF."""
        return await media.derivative(request, visitor, snapshot_id, derivatives.thumbnail_kind)

    for name, endpoint, answers in (
        ("picture", get_picture, JPEG_OR_PNG),
        ("thumbnail", get_thumbnail, JPEG),
    ):
        path = f"/snapshots/{{snapshot_id}}/{name}"
        router.get(path, responses=answers)(endpoint)
        router.head(path, include_in_schema=False)(endpoint)
    return router
