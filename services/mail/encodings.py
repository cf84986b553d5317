"""How the bytes of a part are written in a mail: decoders that take them piece by piece.

Each takes whole lines, or pieces of a line that is too long to wait for, and raises Damaged.
"""

from __future__ import annotations

import binascii
from typing import Protocol

_SPACE = b"\r\n\t \x0b\x0c"


class Damaged(Exception):
    """The part can't be decoded; the text says why."""


class Decoder(Protocol):
    def decode(self, data: bytes) -> bytes:
        """The bytes that are whole by now."""

    def finish(self) -> bytes:
        """The last bytes."""


class Base64:
    """Strict but for white space and for an end without padding; nothing may follow the end."""

    def __init__(self) -> None:
        self._rest = b""
        self._ended = False

    def decode(self, data: bytes) -> bytes:
        letters = self._rest + data.translate(None, _SPACE)
        if self._ended and letters:
            raise Damaged("something follows the end of its base64")
        whole = len(letters) & ~3
        self._rest = letters[whole:]
        self._ended = b"=" in letters[:whole]
        return _strict(letters[:whole])

    def finish(self) -> bytes:
        rest, self._rest = self._rest, b""
        return _strict(rest + b"=" * (-len(rest) % 4))


def _strict(letters: bytes) -> bytes:
    try:
        return binascii.a2b_base64(letters, strict_mode=True) if letters else b""
    except binascii.Error as error:
        raise Damaged(f"its base64 is damaged: {error}") from None


class QuotedPrintable:
    def __init__(self) -> None:
        self._rest = b""

    def decode(self, data: bytes) -> bytes:
        data = self._rest + data
        whole = data.rfind(b"\n") + 1
        self._rest = data[whole:]
        if len(self._rest) > 2000:
            raise Damaged("its quoted-printable lines are too long")
        return binascii.a2b_qp(data[:whole])

    def finish(self) -> bytes:
        rest, self._rest = self._rest, b""
        return binascii.a2b_qp(rest)


class Plain:
    """As it is; the line end before a boundary belongs to the boundary."""

    def __init__(self) -> None:
        self._end = b""

    def decode(self, data: bytes) -> bytes:
        data = self._end + data
        kept = data.removesuffix(b"\n").removesuffix(b"\r")
        self._end = data[len(kept) :]
        return kept

    def finish(self) -> bytes:
        return b""


def decoder(name: str) -> Decoder:
    """For a Content-Transfer-Encoding. Raises Damaged for one that is not known."""
    match name.strip().lower():
        case "base64":
            return Base64()
        case "quoted-printable":
            return QuotedPrintable()
        case "" | "7bit" | "8bit" | "binary":
            return Plain()
        case other:
            raise Damaged(f"its encoding {other[:40]!r} is not known")
