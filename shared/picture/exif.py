"""What cameras write into EXIF blocks: which way up, and when. Read by hand from the few bytes that
hold it; a damaged block says nothing, as viewers take it."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from shared.errors import PictureError
from shared.picture.format import HEAD, SOS, Bytes, chunks, opened, segments, sniff

APP1 = 0xE1
MARK = b"Exif\x00\x00"
"""How the block begins in a JPEG."""
PNG_CHUNK = int.from_bytes(b"eXIf", "big")
PNG_DATA = int.from_bytes(b"IDAT", "big")

_ORIENTATION, _SUB_BLOCK = 0x0112, 0x8769
_TAKEN, _OFFSET, _FRACTION = 0x9003, 0x9011, 0x9291
_TEXT, _SHORT, _LONG = 2, 3, 4
MOST_ENTRIES = 200
LONGEST_TEXT = 32


def orientation(tiff: memoryview) -> int:
    """The rotation that is asked for, EXIF's 1 to 8; 1 is upright."""
    try:
        order, first = _begin(tiff)
        for tag, kind, at in _entries(tiff, order, first):
            if tag == _ORIENTATION and kind == _SHORT:
                (value,) = struct.unpack_from(f"{order}H", tiff, at + 8)
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def time_in(picture: Bytes) -> str:
    """When a complete picture says that it was taken (DateTimeOriginal), as
    ``2026:10:31 07:08:09``, perhaps with a fraction and the offset of its zone; empty: it doesn't.
    Reads no further than to the picture data."""
    try:
        with opened(picture) as view:
            return _time(_block(view))
    except (struct.error, PictureError):
        return ""


def _block(picture: memoryview) -> memoryview:
    if sniff(bytes(picture[:HEAD])) == "image/png":
        for name, start, end in chunks(picture):
            if name == PNG_CHUNK:
                return picture[start:end]
            if name == PNG_DATA:
                break
    else:
        for code, start, end in segments(picture):
            if code == APP1 and bytes(picture[start : start + 6]) == MARK:
                return picture[start + 6 : end]
            if code == SOS:
                break
    return picture[:0]


def _time(tiff: memoryview) -> str:
    order, first = _begin(tiff)
    found: dict[int, str] = {}
    for tag, kind, at in _entries(tiff, order, first):
        if tag == _SUB_BLOCK and kind == _LONG:
            (first,) = struct.unpack_from(f"{order}I", tiff, at + 8)
            for inner, of_kind, place in _entries(tiff, order, first):
                if inner in (_TAKEN, _OFFSET, _FRACTION) and of_kind == _TEXT:
                    found[inner] = _text(tiff, order, place)
            break
    taken, fraction = found.get(_TAKEN, ""), found.get(_FRACTION, "")
    if not taken:
        return ""
    return taken + (f".{fraction}" if fraction else "") + found.get(_OFFSET, "")


def _begin(tiff: memoryview) -> tuple[str, int]:
    """The order of bytes, and where the first entries are. Raises struct.error."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(tiff[:2]))
    if order is None:
        raise struct.error("no order of bytes")
    return order, struct.unpack_from(f"{order}I", tiff, 4)[0]


def _entries(tiff: memoryview, order: str, first: int) -> Iterator[tuple[int, int, int]]:
    """Tag, kind and place of each entry. Raises struct.error."""
    (count,) = struct.unpack_from(f"{order}H", tiff, first)
    for number in range(min(count, MOST_ENTRIES)):
        at = first + 2 + 12 * number
        tag, kind = struct.unpack_from(f"{order}HH", tiff, at)
        yield tag, kind, at


def _text(tiff: memoryview, order: str, at: int) -> str:
    length, place = struct.unpack_from(f"{order}II", tiff, at + 4)
    place = at + 8 if length <= 4 else place
    text = bytes(tiff[place : place + min(length, LONGEST_TEXT)]).rstrip(b"\x00 ")
    return text.decode("ascii", "replace").strip()
