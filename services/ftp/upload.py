"""One upload, from its first byte to the answer its sender gets.

The answer 226 says that the picture is safe, so it is made only after the intake has returned.
The file counts under the name of its STOR: what a later rename makes of it changes no picture,
and a camera that renames ``x.tmp`` has been told already that x is safe.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from shared.errors import (
    IncompletePicture,
    JournalUnavailable,
    NotAPicture,
    PictureError,
    PictureTooLarge,
    SnapbusError,
    StoreError,
    StoreFull,
)
from shared.events import CameraTested, now
from shared.ingest.capture_time import captured_at
from shared.ingest.intake import Accepted, Arrival, Intake
from shared.picture.format import MAGIC, begins, sniff
from shared.service import Context
from shared.store import Part

log = logging.getLogger(__name__)

PROBE_BYTES = 1024
"""A smaller file that is no picture is a camera's test."""

_PROBE_NAME = re.compile(r"(?i)(dvrworkdirectory|(ftp)?[-_ ]?test[^/]*)$")
_PICTURE_NAME = re.compile(r"(?i)\.(jpe?g|png)$")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server says, and under which word it is counted."""

    code: int
    text: str
    outcome: str = "refused"

    @property
    def accepted(self) -> bool:
        return self.code < 400


class Refused(Exception):
    """This upload can't be taken; no more of it need be read."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Sender:
    """Who uploads: one session of one camera."""

    camera: str
    session: str
    zone: tzinfo | None = None


class Upload:
    """A file being received. Has the methods of a file that the FTP library calls; written in the
    server's thread, finished in another, never in both at once."""

    def __init__(self, context: Context, sender: Sender, name: str) -> None:
        """Raises Refused when nothing can be stored now."""
        self.name = name
        self.closed = False
        self._context = context
        self._sender = sender
        self._recognised = False
        self._part: Part | None = None  # made with the first byte: much that is opened stays empty
        try:
            context.store.volume.check_space()
        except StoreError as error:
            raise Refused(refusal(error)) from error

    @property
    def camera(self) -> str:
        return self._sender.camera

    @property
    def size(self) -> int:
        return self._part.size if self._part else 0

    def write(self, chunk: bytes) -> None:
        """Take more bytes. Raises Refused; then the upload is closed."""
        try:
            part = self._part = self._part or self._context.intake.receive()
            part.write(chunk)
            if not self._recognised and part.size >= PROBE_BYTES:
                sniff(part.head)  # a film is not read to its end to be refused
                self._recognised = True
        except (PictureError, StoreError) as error:
            self.close()
            raise Refused(refusal(error)) from error

    def close(self) -> None:
        """Forget the bytes, unless they were accepted."""
        if not self.closed:
            self.closed = True
            if self._part:
                self._part.discard()

    def arrival(self) -> Arrival:
        """What is known of the picture."""
        time = captured_at(self.name, now(), self._sender.zone)
        return Arrival(
            camera=self._sender.camera,
            door="ftp",
            name=self.name[-255:],
            captured_at=time,
            captured_by="name" if time else "arrival",
        )

    def picture(self) -> Part | None:
        """The bytes, or None when they are a camera's test."""
        part = self._part
        return None if part is None or self._is_probe(part) else part

    def _is_probe(self, part: Part) -> bool:
        head = part.head
        if part.size >= PROBE_BYTES or head.startswith(MAGIC):
            return False
        if _PROBE_NAME.search(self.name):
            return True
        if _PICTURE_NAME.search(self.name):
            return False
        # The first bytes of a picture, and no more, are a cut upload and not a test.
        return not begins(head)

    def tested(self) -> Reply:
        """Record the camera's test. Raises JournalUnavailable."""
        data = CameraTested(camera=self._sender.camera, door="ftp", name=self.name[-255:])
        cause = f"ftp:{self._sender.session}:{self.name}"
        self._context.record([data.event(subject=self._sender.camera, cause=cause)])
        return Reply(226, "Transfer complete; this was a test, no picture.", "tests")


def finish(intake: Intake, uploads: Sequence[Upload]) -> list[Reply]:
    """All bytes of these are there: store them, and say what to answer to each. Blocks."""
    try:
        pictures = {upload: part for upload in uploads if (part := upload.picture())}
        outcomes = intake.accept_all([(part, each.arrival()) for each, part in pictures.items()])
        replies = dict(zip(pictures, map(_reply, outcomes), strict=True))
        return [replies.get(upload) or _test_reply(upload) for upload in uploads]
    finally:
        for upload in uploads:
            upload.close()


def _reply(outcome: Accepted | Exception) -> Reply:
    if isinstance(outcome, SnapbusError):
        return refusal(outcome)
    if isinstance(outcome, Exception):
        return broken(outcome)
    if outcome.duplicate:
        return Reply(226, f"Transfer complete; known as {outcome.snapshot_id}.", "repeated")
    return Reply(226, f"Transfer complete; taken as {outcome.snapshot_id}.", "taken")


def _test_reply(upload: Upload) -> Reply:
    try:
        return upload.tested()
    except JournalUnavailable as error:
        return refusal(error)


def broken(error: Exception) -> Reply:
    """What to answer to an upload that failed by an error of ours."""
    log.error("an upload could not be finished", exc_info=error, extra={"action": "upload_failed"})
    return Reply(451, "Internal error; the log of the server says more. Send it again later.")


def refusal(error: SnapbusError) -> Reply:
    """What to answer to an upload that failed by this error."""
    if isinstance(error, PictureTooLarge):
        return Reply(552, f"Refused: {error}.")
    if isinstance(error, NotAPicture):
        return Reply(553, f"Refused: {error}. Send JPEG or PNG.")
    if isinstance(error, IncompletePicture):
        return Reply(451, f"Upload incomplete: {error}. Send it again.")
    if isinstance(error, PictureError):
        return Reply(553, f"Refused: {error}.")
    if isinstance(error, StoreFull):
        return Reply(452, "Not enough space to store it. Send it again later.")
    if isinstance(error, JournalUnavailable):
        return Reply(451, "The journal is not available now. Send it again later.")
    return Reply(451, "It can't be stored now. Send it again later.")
