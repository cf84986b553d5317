"""A mail cut into its parts while it comes in, so that no mail is ever held in memory.

Multiparts and mails within the mail are entered; what is left are the leaves. How deep and how
many is bounded, because the sender decides it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from services.mail.head import Head

MOST_CONTAINERS = 20
MOST_PARTS = 200
MOST_HEAD_BYTES = 65_536
LONGEST_DELIMITER = 1000
"""A longer line is no boundary, and is handed on before its end is there."""


class BadMail(Exception):
    """This mail is not taken; the text says why."""


class Leaf(Protocol):
    def write(self, data: bytes) -> None:
        """More of its bytes, as they are in the mail."""

    def end(self) -> None:
        """That was all."""


class Parts:
    """Feed it the bytes of a mail. ``begin`` is called at each leaf, ``heard`` with the header of
    the mail itself. Raises BadMail, and what they raise."""

    def __init__(self, heard: Callable[[Head], None], begin: Callable[[Head], Leaf]) -> None:
        self._heard = heard
        self._begin = begin
        self._rest = b""  # of a line whose end is not there
        self._within_line = False  # whose beginning was handed on
        self._boundaries: list[bytes] = []  # of the multiparts we are in, the innermost last
        self._head: list[bytes] | None = []  # of what begins; None: its body has begun
        self._head_bytes = 0
        self._leaf: Leaf | None = None
        self._containers = self._parts = 0

    def feed(self, data: bytes) -> None:
        """More bytes of the mail, cut anywhere."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        run: list[bytes] = []
        for line in lines:
            in_body = self._head is None
            if in_body and (self._within_line or not line.startswith(b"--")):
                run.append(line)
                self._within_line = False
            elif found := self._delimiter(line):
                self._hand_on(run)
                self._delimited(*found)
            elif in_body:
                run.append(line)
            else:
                self._read_head(line)
        self._hand_on(run)
        if self._head is None and len(self._rest) > LONGEST_DELIMITER:
            if self._leaf:
                self._leaf.write(self._rest)
            self._rest, self._within_line = b"", True
        elif len(self._rest) > MOST_HEAD_BYTES:
            raise BadMail("a header is too long")

    def close(self) -> None:
        """The mail is over."""
        if self._rest:
            self.feed(b"\n")
        if self._head is not None:
            self._head_over()
        self._leaf_over()

    def _hand_on(self, run: list[bytes]) -> None:
        if run and self._leaf:
            run.append(b"")
            self._leaf.write(b"\n".join(run))
        run.clear()

    def _delimiter(self, line: bytes) -> tuple[int, bool] | None:
        """Of which multipart, and whether it ends it."""
        if not line.startswith(b"--") or len(line) > LONGEST_DELIMITER:
            return None
        text = line.rstrip(b" \t\r")[2:]
        for level in range(len(self._boundaries) - 1, -1, -1):
            if text.startswith(self._boundaries[level]):
                after = text[len(self._boundaries[level]) :]
                if after in (b"", b"--"):
                    return level, bool(after)
        return None

    def _delimited(self, level: int, ends: bool) -> None:
        if self._head is not None:  # without an empty line after it
            self._head_over()
        self._leaf_over()
        del self._boundaries[level + (not ends) :]
        self._head = None if ends else []
        self._head_bytes = 0

    def _read_head(self, line: bytes) -> None:
        assert self._head is not None
        if not line.rstrip(b"\r"):
            self._head_over()
            return
        self._head_bytes += len(line)
        if self._head_bytes > MOST_HEAD_BYTES:
            raise BadMail("a header is too long")
        self._head.append(line)

    def _head_over(self) -> None:
        assert self._head is not None
        head = Head(b"\n".join([*self._head, b"", b""]))
        self._head, self._head_bytes = None, 0
        if not self._parts:
            self._heard(head)
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise BadMail(f"it has more than {MOST_PARTS} parts")
        kind = head.content_type
        boundary = head.boundary if kind.startswith("multipart/") else b""
        if boundary:
            self._enter()
            self._boundaries.append(boundary)
        elif kind == "message/rfc822" and head.encoding.strip().lower() in ("", "7bit", "8bit"):
            self._enter()
            self._head = []
        else:
            self._leaf = self._begin(head)

    def _enter(self) -> None:
        self._containers += 1
        if self._containers > MOST_CONTAINERS:
            raise BadMail(f"it has more than {MOST_CONTAINERS} multiparts and mails in it")

    def _leaf_over(self) -> None:
        leaf, self._leaf = self._leaf, None
        if leaf:
            leaf.end()
