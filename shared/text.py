"""Foreign text made safe to keep and to show. The only place where that is done.

Cameras, servers and files name things in bytes that are no valid text, in terminal commands and
without end. What is kept as data passes ``printable`` or ``storable``; what a person reads in a
terminal passes ``escaped`` or ``one_line``.
"""

from __future__ import annotations

import unicodedata

LONGEST_NAME = 1024
REPLACEMENT = "\ufffd"
_CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})


def printable(text: str, limit: int = LONGEST_NAME) -> str:
    """A name as it may be kept and shown: controls, surrogates and line ends are replaced."""
    text = text[:limit]
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        REPLACEMENT if unicodedata.category(letter) in _CONTROLS else letter for letter in text
    )


def storable(text: str, limit: int) -> str:
    """Text that every database stores: no NUL, no surrogates; lines stay lines."""
    return text[:limit].encode(errors="replace").decode().replace("\x00", REPLACEMENT)


def escaped(text: str, keep: str = "") -> str:
    """Text that can't control a terminal: characters that are not printable, except those in
    ``keep``, as Python's escapes."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in keep else repr(letter)[1:-1] for letter in text
    )


def one_line(text: str, limit: int) -> str:
    """Foreign text as one line of a report: controls and runs of space become one space."""
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(text.split())[:limit]


def shortened(text: str, limit: int) -> str:
    """The text without its middle: a traceback says at its end what happened."""
    if len(text) <= limit:
        return text
    return f"{text[: limit // 4]} … {text[-limit * 3 // 4 :]}"
