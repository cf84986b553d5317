"""One upload, from its first byte to the answer its sender gets.

The answer 226 says that the picture is safe, so it is made only after the intake has returned.
The file counts under the name of its STOR: what a later rename makes of it changes no picture,
and a camera that renames ``x.tmp`` has been told already that x is safe.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from services.ftp.probes import PROBE_BYTES, is_probe
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
from shared.events import CameraTested
from shared.ingest.intake import Accepted, Arrival, Intake
from shared.picture.format import sniff
from shared.service import Context
from shared.store import Part

log = logging.getLogger(__name__)

ENDS = (b"\xff\xd9", b"\x00\x00\x00\x00IEND\xaeB`\x82")
"""How a JPEG and a PNG end."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server says, and under which word it is counted."""

    code: int
    text: str
    outcome: str = "refused"

    @property
    def accepted(self) -> bool:
        return self.code < 400


BUSY = Reply(451, "Too busy to store it now. Send it again later.")
NO_CAMERA = Reply(
    553,
    "Refused: no camera is known by this folder or name. Upload into a folder called as the camera "
    "is, or add what it is called to cameras.<name>.ftp.names.",
)
_CUT = Reply(451, "Upload incomplete: TLS ended without close_notify. Send it again.", "cut")


class Refused(Exception):
    """This upload can't be taken; no more of it need be read."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Sender:
    """Who uploads: one session of one camera. ``nameless``: which one is not known, so that it can
    only be a test; ``camera`` is the account then."""

    camera: str
    session: str
    zone: tzinfo | None = None
    nameless: bool = False


class Upload:
    """A file being received: written in the server's thread, finished in another, never in both
    at once."""

    def __init__(
        self,
        context: Context,
        sender: Sender,
        name: str,
        over_quota: Callable[[int], Reply | None] = lambda size: None,
    ) -> None:
        """Raises Refused when nothing can be stored now. ``over_quota`` says whether so many more
        bytes are too many; 0: whether one more picture is."""
        self.name = name
        self.closed = False
        self.may_be_cut = False
        """Whether its sender ended it without a word that this was all."""
        self._context = context
        self._sender = sender
        self._recognised = False
        self._over_quota = over_quota
        self._part: Part | None = None  # made with the first byte: much that is opened stays empty
        self._check_quota(0)
        try:
            context.store.volume.check_space()
        except StoreError as error:
            raise Refused(refusal(error)) from error

    @property
    def camera(self) -> str:
        return self._sender.camera

    @property
    def nameless(self) -> bool:
        """Whether it is not known which camera it is of."""
        return self._sender.nameless

    @property
    def size(self) -> int:
        return self._part.size if self._part else 0

    def write(self, chunk: bytes) -> None:
        """Take more bytes. Raises Refused; then the upload is closed."""
        self._check_quota(len(chunk))
        try:
            part = self._part = self._part or self._context.intake.receive()
            part.write(chunk)
            if not self._recognised and part.size >= PROBE_BYTES:
                sniff(part.head)  # a film is not read to its end to be refused
                self._recognised = True
        except (PictureError, StoreError) as error:
            self.close()
            raise Refused(refusal(error)) from error

    def _check_quota(self, size: int) -> None:
        if reply := self._over_quota(size):
            self.close()
            raise Refused(reply)

    def close(self) -> None:
        """Forget the bytes, unless they were accepted."""
        if not self.closed:
            self.closed = True
            if self._part:
                self._part.discard()

    def arrival(self) -> Arrival:
        """What is known of the picture."""
        sender = self._sender
        return Arrival(camera=sender.camera, door="ftp", name=self.name, zone=sender.zone)

    def picture(self) -> Part | None:
        """The bytes, or None when they are a camera's test."""
        part = self._part
        return None if part is None or is_probe(self.name, part) else part

    def seems_cut(self) -> bool:
        """Whether bytes may be missing: its sender did not say that this was all, and it does not
        end where a picture ends. Whether that is the end of this picture, the intake finds out."""
        if not self.may_be_cut:
            return False
        if self._part is None:
            return True
        with self._part.mapped() as data:
            return not bytes(data[-len(ENDS[1]) :]).endswith(ENDS)

    def tested(self) -> Reply:
        """Record the camera's test. Raises JournalUnavailable."""
        data = CameraTested(camera=self._sender.camera, door="ftp", name=self.name[-255:])
        cause = f"ftp:{self._sender.session}:{self.name}"
        self._context.record([data.event(subject=self._sender.camera, cause=cause)])
        return Reply(226, "Transfer complete; this was a test, no picture.", "tests")


def finish(intake: Intake, uploads: Sequence[Upload]) -> list[Reply]:
    """All bytes of these are there: store them, and say what to answer to each. Blocks."""
    try:
        replies = {upload: _CUT for upload in uploads if upload.seems_cut()}
        whole = [upload for upload in uploads if upload not in replies]
        pictures = {upload: part for upload in whole if (part := upload.picture())}
        replies |= {upload: NO_CAMERA for upload in pictures if upload.nameless}
        pictures = {upload: part for upload, part in pictures.items() if not upload.nameless}
        outcomes = intake.accept_all([(part, each.arrival()) for each, part in pictures.items()])
        replies |= zip(pictures, map(_reply, outcomes), strict=True)
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
