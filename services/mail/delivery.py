"""One mail of one camera: received piece by piece, then stored, and only then answered.

250 says that every picture of the mail is safe; if one can't be taken, none is.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from services.mail.letter import Letter, Picture
from services.mail.reply import Reply, refusal
from shared.events import CameraTested
from shared.failpoint import reach
from shared.ingest.accounts import Account
from shared.ingest.intake import Accepted, Arrival
from shared.service import Context


class Delivery:
    """Belongs to no thread: its methods that block take turns."""

    def __init__(self, context: Context, account: Account, session: str, most: int) -> None:
        self.closed = False
        self.taken: list[int] = []
        """The sizes of the new pictures."""
        self._context = context
        self.account = account
        self._session = session
        self._letter = Letter(context.intake.receive, most)
        self._refused: Reply | None = None
        self._turn = threading.Lock()

    @property
    def camera(self) -> str:
        return self.account.camera

    @property
    def size(self) -> int:
        """Bytes of pictures so far."""
        return self._letter.size

    @property
    def pictures(self) -> int:
        return len(self._letter.pictures)

    def refuse(self, reply: Reply) -> None:
        """Whatever comes now, this is the answer."""
        self._refused = self._refused or reply

    def write(self, data: bytes) -> None:
        """Take more of the mail; of one that is refused nothing is kept. Blocks."""
        with self._turn:
            if not (self._refused or self.closed):
                try:
                    self._letter.write(data)
                except Exception as error:  # noqa: BLE001  told when all has come
                    self._refused = refusal(error)
            if self._refused:
                self._letter.discard()

    def close(self) -> None:
        """Forget what was not accepted. Blocks."""
        self.closed = True
        with self._turn:
            self._letter.discard()

    def finish(self) -> Reply:
        """All has come: store the pictures, and say what to answer. Blocks."""
        with self._turn:
            try:
                return self._finished()
            except Exception as error:  # noqa: BLE001  each is told to the sender
                return refusal(error)
            finally:
                self.closed = True
                self._letter.discard()
                reach("mail.finished")

    def _finished(self) -> Reply:
        if self._refused is None:
            self._letter.close()
        if self._refused:
            return self._refused
        if not self._letter.pictures:
            return self._without_picture()
        pictures = [(each.part, self._arrival(each)) for each in self._letter.pictures]
        sizes = [part.size for part, _arrival in pictures]
        outcomes = self._context.intake.accept_all(pictures)
        accepted = [each for each in outcomes if isinstance(each, Accepted)]
        self.taken = [
            size
            for size, each in zip(sizes, outcomes, strict=True)
            if isinstance(each, Accepted) and not each.duplicate
        ]
        for each in outcomes:
            if isinstance(each, Exception):
                # Those that are safe are known when the mail comes again.
                return refusal(each)
        return self._taken(accepted)

    def _arrival(self, picture: Picture) -> Arrival:
        """What is known of a picture. The mail's own date is not its time: the zones of cameras
        are wrong more often than their mails are late."""
        identity = self._letter.identity
        key = f"mail:{self.camera}:{identity}:{picture.number}:{picture.part.sha256}"
        return Arrival(
            camera=self.camera,
            door="mail",
            name=picture.name,
            zone=self.account.zone,
            key=key if identity else "",
        )

    def _taken(self, accepted: Sequence[Accepted]) -> Reply:
        ids = ", ".join(each.snapshot_id for each in accepted)
        text = f"{'Taken' if self.taken else 'Known'} as {ids}."
        if others := self._letter.others:
            text += f" Left out, no JPEG or PNG: {', '.join(others)}."
        return Reply(250, "2.0.0", text, "taken" if self.taken else "repeated")

    def _without_picture(self) -> Reply:
        if others := self._letter.others:
            return Reply(
                554, "5.6.0", f"Refused: no JPEG or PNG is in this mail, only {', '.join(others)}."
            )
        data = CameraTested(camera=self.camera, door="mail", name=self._letter.subject)
        cause = f"mail:{self._session}:{self._letter.identity}"
        self._context.record([data.event(subject=self.camera, cause=cause)])
        return Reply(250, "2.0.0", "Received; this was a test, no picture is in it.", "tests")
