"""One mail, from its first byte to its last: the pictures in it, and what else it is.

What a part holds is told by its bytes; what it is called counts only if they are no picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from services.mail.encodings import Damaged, Decoder, decoder
from services.mail.head import Head
from services.mail.parts import BadMail, Parts
from shared.errors import NotAPicture
from shared.picture.format import HEAD, MAGIC, check_complete, sniff
from shared.store import Part

_LONGEST_MAGIC = max(map(len, MAGIC))
_PICTURES = ("image/jpeg", "image/jpg", "image/pjpeg", "image/png", "image/x-png")


@dataclass(frozen=True, slots=True)
class Picture:
    """A part that is a picture. ``name`` is what the sender calls it, ``number`` its place among
    the pictures of its mail."""

    part: Part
    name: str
    number: int


class Letter:
    """Written by one thread at a time. ``receive`` begins to store a picture."""

    def __init__(self, receive: Callable[[], Part], most_pictures: int) -> None:
        self.pictures: list[Picture] = []
        self.others: list[str] = []
        """Attachments that are no pictures, by type and name."""
        self.subject = ""
        self.identity = ""
        """What a repeat of this mail has in common with it; empty: nothing can be told."""
        self._receive = receive
        self._most_pictures = most_pictures
        self._parts = Parts(self._heard, self._begin)

    @property
    def size(self) -> int:
        """Bytes of pictures so far."""
        return sum(each.part.size for each in list(self.pictures))

    def write(self, data: bytes) -> None:
        """More bytes of the mail. Raises BadMail, PictureError, StoreError; then discard it."""
        self._parts.feed(data)

    def close(self) -> None:
        """The mail is over: none of several pictures is taken unless all are whole. Raises as
        ``write``."""
        self._parts.close()
        if len(self.pictures) > 1:  # a single one is refused by the intake, and leaves nothing
            for each in self.pictures:
                with each.part.mapped() as data:
                    check_complete(data)

    def discard(self) -> None:
        """Forget all that was not accepted."""
        for each in self.pictures:
            each.part.discard()

    def keep(self, name: str) -> Part:
        """Begin one more picture. Raises BadMail, StoreError."""
        if len(self.pictures) >= self._most_pictures:
            raise BadMail(f"it has more than {self._most_pictures} pictures (mail.max_pictures)")
        part = self._receive()
        self.pictures.append(Picture(part, name, len(self.pictures)))
        return part

    def _heard(self, head: Head) -> None:
        self.subject = head.text("Subject")
        said = head.text("Message-ID") or head.text("Date")
        self.identity = hashlib.sha256(said.encode()).hexdigest() if said else ""

    def _begin(self, head: Head) -> _Leaf:
        return _Leaf(head, self)


class _Leaf:
    """A part that has no parts: a picture, the text of the mail, or something else."""

    def __init__(self, head: Head, letter: Letter) -> None:
        self._head = head
        self._letter = letter
        self._first = b""
        self._part: Part | None = None
        self._looked = False
        self._damage = ""
        self._decoder: Decoder | None = None
        try:
            self._decoder = decoder(head.encoding)
        except Damaged as error:
            self._damage = str(error)

    def write(self, data: bytes) -> None:
        if self._decoder and not (self._looked and self._part is None):
            try:
                self._take(self._decoder.decode(data))
            except Damaged as error:
                self._broken(error)

    def end(self) -> None:
        if self._decoder and not (self._looked and self._part is None):
            try:
                self._take(self._decoder.finish())
            except Damaged as error:
                self._broken(error)
        if self._part is None:
            self._is_no_picture()

    def _take(self, data: bytes) -> None:
        if self._part is None:
            data = self._first = self._first + data
            if len(data) < _LONGEST_MAGIC and any(each.startswith(data) for each in MAGIC):
                return  # it may become one
            if not data.startswith(MAGIC):
                self._looked = len(data) >= HEAD
                return
            self._part = self._letter.keep(self._head.file_name)
        if data:
            self._part.write(data)

    def _broken(self, error: Damaged) -> None:
        if self._part:
            raise BadMail(f"{self._told()}: {error}")
        self._damage, self._decoder = str(error), None

    def _is_no_picture(self) -> None:
        if self._head.content_type in _PICTURES:
            try:
                sniff(self._first[:HEAD])
            except NotAPicture as error:
                raise BadMail(f"{self._told()}: {self._damage or error}") from None
            raise BadMail(f"{self._told()}: only its first bytes are there")
        if self._head.attached or not self._head.content_type.startswith("text/"):
            self._letter.others.append(self._told())

    def _told(self) -> str:
        name = self._head.file_name
        return f"{self._head.content_type} {name!r}" if name else self._head.content_type
