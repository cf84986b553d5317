"""One picture that is being received. Belongs to the event loop; what may wait for the disk is done
in other threads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from starlette.concurrency import run_in_threadpool

from services.api.problems import Problem
from shared.errors import IncompletePicture, NotAPicture, PictureError, PictureTooLarge
from shared.events import now
from shared.picture.format import sniff
from shared.store import Part

RECOGNISED_BYTES = 1024
"""A film is not read to its end to be refused."""


class Upload:
    """``over_quota`` says why so many more bytes are too many."""

    def __init__(
        self,
        part: Part,
        camera: str,
        over_quota: Callable[[int], str | None],
        *,
        is_picture: bool = True,
    ) -> None:
        self.camera = camera
        self.closed = False
        self.part = part
        self._over_quota = over_quota
        self._recognised = not is_picture
        self._handed_over = False

    @property
    def size(self) -> int:
        return self.part.size

    async def write(self, piece: bytes) -> None:
        """Take more bytes. Raises Problem, StoreError."""
        if why := self._over_quota(len(piece)):
            raise over_quota(why)
        part = self.part
        try:
            if part.stays_in_memory(len(piece)):
                part.write(piece)
            else:
                await run_in_threadpool(part.write, piece)
            if not self._recognised and part.size >= RECOGNISED_BYTES:
                sniff(part.head)
                self._recognised = True
        except PictureError as error:
            raise refusal(error) from error

    async def becomes(self, picture: Part) -> None:
        """What came was something around this picture."""
        before, self.part = self.part, picture
        await run_in_threadpool(before.discard)

    def hand_over(self) -> Part:
        """The bytes, to another thread: from now on they are no longer this one's to forget."""
        self._handed_over = True
        return self.part

    async def close(self) -> None:
        """It is coming no more; its bytes are forgotten unless they were handed over."""
        self.closed = True
        if self._handed_over:
            return
        if self.part.stays_in_memory():
            self.part.discard()
        else:
            await run_in_threadpool(self.part.discard)


def refusal(error: PictureError) -> Problem:
    """What to answer to bytes that are no picture we can take."""
    why = str(error)
    told = f"{why[:1].upper()}{why[1:]}."
    match error:
        case PictureTooLarge():
            return Problem(413, "body-too-large", told)
        case NotAPicture():
            return Problem(415, "not-a-picture", told)
        case IncompletePicture():
            return Problem(422, "incomplete-picture", f"{told} Send it again.")
    return Problem(422, "unsound-picture", told)


def over_quota(why: str) -> Problem:
    """The refusal of what would be too much today."""
    present = now().astimezone(UTC)
    tomorrow = datetime.combine(present.date(), time.min, UTC) + timedelta(days=1)
    wait_s = int((tomorrow - present).total_seconds()) + 1
    return Problem(429, "over-quota", why, {"Retry-After": str(wait_s)})
