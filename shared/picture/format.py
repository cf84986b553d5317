"""What a picture file says of itself: its kind, whether its end is there, its size, its rotation.

Plain Python over the bytes, so that the doors (FTP, folder, HTTP) need no decoder. Whether the
picture is *sound* takes a full decode: shared/picture/decode.py. The glossary's two words: a
picture is complete when its end is there, and sound when every bit of it decodes.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shared.errors import IncompletePicture, NotAPicture, UnsoundPicture

MediaType = Literal["image/jpeg", "image/png"]
Bytes = bytes | bytearray | memoryview | mmap.mmap

HEAD = 512
"""As many first bytes as ``sniff`` looks at."""

_PNG = b"\x89PNG\r\n\x1a\n"
MAGIC = (b"\xff\xd8\xff", _PNG)
"""How a JPEG and a PNG begin."""

# A marker is FF and a code. 00 is an escaped FF inside picture data, D0-D7 are restart points
# there, and FF is padding: none of them is a place where something begins or ends.
_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)
_SOI, _EOI, _SOS, _APP1, _TEM = 0xD8, 0xD9, 0xDA, 0xE1, 0x01
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

_OTHERS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), text)
    for pattern, text in (
        (rb"\s*(<!doctype html|<html|<head|<body)", "this is HTML, perhaps an error or login page"),
        (rb"\s*<(\?xml|svg)", "this is XML"),
        (rb"\s*[{\[]\s*([\"\]}{\[]|-?\d)", "this is JSON"),
        (rb"GIF8[79]a", "this is a GIF"),
        (rb"RIFF....WEBP", "this is WebP"),
        (rb"RIFF....AVI ", "this is an AVI video"),
        (rb"BM", "this is a BMP"),
        (rb"(II\*\x00|MM\x00\*)", "this is a TIFF"),
        (rb"....ftyp(heic|heix|mif1|msf1|avif)", "this is HEIC or AVIF"),
        (rb"....ftyp", "this is an MP4 video"),
        (rb"PK\x03\x04", "this is a ZIP archive"),
        (rb"%PDF", "this is a PDF"),
        (rb"\x1f\x8b", "this is gzip data"),
        (rb"HTTP/\d", "this is an HTTP answer with its header"),
        (rb"--\S+\r?\n", "this is a multipart stream, not one picture"),
        (rb"\x00+\Z", "these are only zero bytes"),
        (rb"\xff\xd8\Z", "this is only the first two bytes of a JPEG"),
        (rb"[\t\r\n\x20-\x7e]+\Z", "this is text"),
    )
)


@dataclass(frozen=True, slots=True)
class Header:
    """What is known without decoding. ``orientation`` is EXIF's 1 to 8; 1 is upright."""

    media_type: MediaType
    width: int
    height: int
    orientation: int = 1
    components: int = 3

    @property
    def turned(self) -> bool:
        """Whether upright means width and height exchanged."""
        return self.orientation >= 5


def sniff(head: bytes | memoryview) -> MediaType:
    """The media type by the first bytes; NotAPicture says what it seems to be instead."""
    start = bytes(head[:HEAD])
    if start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if start.startswith(_PNG):
        return "image/png"
    if not start:
        raise NotAPicture("empty: no bytes at all")
    for pattern, text in _OTHERS:
        if pattern.match(start):
            raise NotAPicture(f"not a JPEG or PNG: {text}")
    raise NotAPicture(f"not a JPEG or PNG: it begins with {start[:8].hex(' ')}")


def begins(head: bytes) -> bool:
    """Whether these are the first bytes of a picture, and too few to tell more."""
    return any(magic.startswith(head) for magic in MAGIC)


def check_complete(picture: Bytes | Path) -> MediaType:
    """The media type of a picture whose end is there; what follows the end does not matter.

    The end is the one that ends this picture, not a thumbnail's inside its header: the segments
    are followed from the start. Cameras that pad with zeros, newlines or a video pass.
    """
    with _open(picture) as data:
        media_type = sniff(bytes(data[:HEAD]))
        for _code, _start, _end in _parts(data, media_type):
            pass
    return media_type


def read_header(picture: Bytes | Path) -> Header:
    """Size and rotation from the header, read up to the first picture data only."""
    with _open(picture) as data:
        media_type = sniff(bytes(data[:HEAD]))
        return _png_header(data) if media_type == "image/png" else _jpeg_header(data)


@contextmanager
def _open(picture: Bytes | Path) -> Iterator[memoryview]:
    if not isinstance(picture, Path):
        with memoryview(picture) as view:
            yield view
        return
    with picture.open("rb") as file:
        if not file.seek(0, 2):
            raise NotAPicture("empty: no bytes at all")
        # Mapped, not read: many doors check at once, and a picture may have many megabytes.
        with (
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
            memoryview(mapped) as view,
        ):
            yield view


def _parts(data: memoryview, media_type: MediaType) -> Iterator[tuple[int, int, int]]:
    return _chunks(data) if media_type == "image/png" else _segments(data)


def _segments(data: memoryview) -> Iterator[tuple[int, int, int]]:
    """Each JPEG segment as (code, start, end of its content), to the end of the picture."""
    position, scans = 2, 0
    while True:
        found = _MARKER.search(data, position)
        if found is None:
            what = "its end (EOI) is missing" if scans else "it has no picture data"
            raise IncompletePicture(f"the JPEG is cut off after {len(data)} bytes: {what}")
        code, position = data[found.start(1)], found.end()
        if code == _EOI:
            if not scans:
                raise IncompletePicture("the JPEG ends before any picture data")
            return
        if code in (_SOI, _TEM):
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        scans += code == _SOS
        # A length under 2 can't be; going on behind it finds the next real segment.
        yield code, position + 2, min(position + max(length, 2), len(data))
        position += max(length, 2)
        if position > len(data):
            position = len(data)


def _chunks(data: memoryview) -> Iterator[tuple[int, int, int]]:
    """Each PNG chunk as (its name as a number, start, end of its content), to the end."""
    position = len(_PNG)
    while position + 12 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        name = bytes(data[position + 4 : position + 8])
        end = position + 8 + length
        if end + 4 > len(data):
            break
        yield int.from_bytes(name, "big"), position + 8, end
        if name == b"IEND":
            return
        position = end + 4
    raise IncompletePicture(f"the PNG is cut off after {len(data)} bytes: its end is missing")


def _png_header(data: memoryview) -> Header:
    if len(data) < 26 or bytes(data[12:16]) != b"IHDR":
        raise UnsoundPicture("the PNG does not begin with its header")
    width, height, _depth, colour = struct.unpack(">IIBB", data[16:26])
    orientation = 1
    for name, start, end in _chunks(data):
        if name == int.from_bytes(b"eXIf", "big"):
            orientation = _orientation(data[start:end])
        if name == int.from_bytes(b"IDAT", "big"):
            break
    return Header("image/png", width, height, orientation, {0: 1, 4: 2, 6: 4}.get(colour, 3))


def _jpeg_header(data: memoryview) -> Header:
    width = height = components = 0
    orientation = 1
    for code, start, end in _segments(data):
        if code in _FRAMES and end - start >= 6 and not width:
            height, width, components = struct.unpack(">HHB", data[start + 1 : start + 6])
        elif code == _APP1 and bytes(data[start : start + 6]) == b"Exif\x00\x00":
            orientation = _orientation(data[start + 6 : end])
        elif code == _SOS:
            break
    if not (width and height):
        raise UnsoundPicture("the JPEG does not say how large it is")
    return Header("image/jpeg", width, height, orientation, components)


def _orientation(tiff: memoryview) -> int:
    """The rotation EXIF asks for; 1 where the block is damaged, as viewers do."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(tiff[:2]))
    if order is None or len(tiff) < 8:
        return 1
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for entry in range(first + 2, first + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", tiff, entry)
            if tag == 0x0112 and kind == 3:
                (value,) = struct.unpack_from(f"{order}H", tiff, entry + 8)
                return value if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
