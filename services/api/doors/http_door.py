"""What all addresses that take pictures share: cameras, quotas, and the threads that store."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from services.api.doors.body import announced, read
from services.api.doors.keep import Keep, Received
from services.api.doors.upload import Upload, over_quota, refusal
from services.api.problems import Problem
from services.api.stopping import outcome_of
from shared.access import Visitor
from shared.errors import PictureError
from shared.events import Door, Trigger, now
from shared.failpoint import reach
from shared.ingest.arrival import Arrival
from shared.ingest.gathering import Gathering
from shared.ingest.intake import Accepted
from shared.ingest.quota import Quota
from shared.service import Context
from shared.settings.cameras import CameraSection, QuotaSection
from shared.store import Part

log = logging.getLogger(__name__)

NAME: Door = "http"
FINISH_S = 10.0
_BUSY = Problem(503, "busy", "Too busy to store it now; send it again.", {"Retry-After": "2"})

Outcome = Accepted | Exception


class HttpDoor:
    """Belongs to the event loop of the server."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.pace = context.settings.api.doors
        self.quota = Quota(NAME, context.journal.read.taken_since)
        self._coming: Counter[str] = Counter()
        self._gathering: Gathering[Received, Outcome] | None = None

    @property
    def max_bytes(self) -> int:
        """The largest picture taken."""
        return self._context.intake.max_bytes

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Take pictures until the end of the block, and finish those that were received."""
        await run_in_threadpool(self.quota.load)
        keep = Keep(self._context.intake)
        gathering = self._gathering = Gathering(
            NAME, self.pace.store_threads, keep.all, late=_late, failed=_failed
        )
        try:
            yield
        finally:
            await run_in_threadpool(gathering.close, FINISH_S)

    def camera(self, visitor: Visitor, name: str) -> CameraSection:
        """The camera of this name, if this visitor may bring its pictures. Raises Problem."""
        section = self._context.cameras.now().get(name)
        if section is None or not visitor.view.sees(section.organisation, name):
            raise Problem(
                404, "no-such-camera", "No camera of this name is configured, or not for this key."
            )
        return section

    def of_key(self, visitor: Visitor) -> str:
        """The camera of a key; empty if it leaves that open."""
        cameras = visitor.view.cameras or ()
        return next(iter(cameras)) if len(cameras) == 1 else ""

    def trigger(self, label: str) -> Trigger:
        """Why a picture was taken, of a sender's word for that."""
        return self._context.intake.names.read(label, now(), None).trigger

    def new_part(self) -> Part:
        """Begin a picture. Raises StoreError. Any thread; blocks."""
        return self._context.intake.receive()

    def is_of(self, upload: Upload, camera: str) -> None:
        """Whose picture it is was learned late. Raises Problem."""
        if upload.camera != camera:
            upload.camera = camera
            if why := self.quota.refusal(camera, self._quota_of(camera), upload.size):
                raise over_quota(why)

    @asynccontextmanager
    async def receiving(self, camera: str, length: int, most: int = 0) -> AsyncIterator[Upload]:
        """A picture of this camera that may come now, of so many bytes as far as that is known.
        With ``most`` it is something of up to so many bytes that has the picture in it. Raises
        Problem, StoreError."""
        if self._coming[camera] >= self.pace.at_once:
            told = f"{self.pace.at_once} pictures of this camera are coming already."
            raise Problem(429, "too-many-uploads", told, {"Retry-After": "2"})
        quota = self._quota_of(camera)
        for size in {0, length}:
            if why := self.quota.refusal(camera, quota, size):
                raise over_quota(why)
        self._coming[camera] += 1
        try:
            store, limit = self._context.store, most or self.max_bytes
            if store.volume.has_room:  # then it waits for no disk
                part = store.receive(limit)
            else:
                part = await run_in_threadpool(store.receive, limit)
            over = partial(self.quota.refusal, camera, quota)
            upload = Upload(part, camera, over, is_picture=not most)
            self.quota.begin(upload)
            try:
                yield upload
            finally:
                await upload.close()
        finally:
            self._coming[camera] -= 1
            if not self._coming[camera]:
                del self._coming[camera]

    async def whole(self, request: Request, camera: str, arrival: Arrival) -> Accepted:
        """Take the body of a request as a picture. Raises Problem, StoreError."""
        length = announced(request, self.max_bytes)
        async with self.receiving(camera, length) as upload:
            await read(request, self.max_bytes, self.pace, upload.write)
            if not upload.size:
                raise Problem(422, "empty-body", "There are no bytes in this request.")
            return await self.store(upload, arrival)

    async def store(self, upload: Upload, arrival: Arrival) -> Accepted:
        """Have it stored; when this returns, the picture is safe. Raises Problem, SnapbusError."""
        assert self._gathering is not None
        loop = asyncio.get_running_loop()
        told: asyncio.Future[Outcome] = loop.create_future()

        def answer(outcome: Outcome) -> None:
            reach("http.finished")
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                loop.call_soon_threadsafe(_tell, told, outcome)

        size = upload.size
        self._gathering.submit(Received(upload.hand_over(), arrival), answer)
        outcome = await outcome_of(told)
        if isinstance(outcome, PictureError):
            raise refusal(outcome) from outcome
        if isinstance(outcome, Exception):
            raise outcome
        if not outcome.duplicate:
            self.quota.note(upload.camera, size)
        reach("http.before_answer")
        return outcome

    def _quota_of(self, camera: str) -> QuotaSection:
        section = self._context.cameras.now().get(camera)
        return section.http.quota if section and section.http else QuotaSection()


def _tell(told: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not told.done():
        told.set_result(outcome)


def _late(received: Received) -> Outcome:
    received.part.discard()
    return _BUSY


def _failed(error: Exception) -> Outcome:
    log.error("an upload could not be finished", exc_info=error, extra={"action": "upload_failed"})
    return error
