"""What kind of picture file this is, of which parts it is made, and whether its end is there.

Plain Python over the bytes, so that the doors (FTP, folder, HTTP) need no decoder. Whether the
picture is *sound* takes a full decode: shared/picture/decode.py. The glossary's two words: a
picture is complete when its end is there, and sound when every bit of it decodes.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
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
_SOI, _EOI, _TEM = 0xD8, 0xD9, 0x01
SOS = 0xDA
"""The segment before each scan of a JPEG."""

MOST_SCANS = 100
"""Encoders write about ten, at most a few dozen; each costs a decoder a pass over the picture."""
MOST_PARTS = 20_000
"""Segments or chunks; a large PNG in pieces of 8 kB has some thousands."""
_WINDOW = 2**20

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
    """Whether a JPEG or PNG may begin with these few bytes."""
    return any(magic.startswith(head) for magic in MAGIC)


def check_complete(picture: Bytes | Path) -> MediaType:
    """The media type of a complete picture; raises PictureError.

    The end is the one that ends this picture, not a thumbnail's inside its header: the segments
    are followed from the start. Bytes after the end (zeros, newlines, a video) are ignored. More
    parts or scans than any picture has are refused: UnsoundPicture.
    """
    with opened(picture) as data:
        media_type = sniff(bytes(data[:HEAD]))
        for _part in chunks(data) if media_type == "image/png" else segments(data):
            pass
    return media_type


@contextmanager
def opened(picture: Bytes | Path) -> Iterator[memoryview]:
    """The bytes of a picture; those of a file are mapped and not read."""
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


def segments(data: memoryview) -> Iterator[tuple[int, int, int]]:
    """Each JPEG segment as (code, start, end of its content), to the end of the picture."""
    position, scans = 2, 0
    for _number in range(MOST_PARTS):
        found = _next_marker(data, position)
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
        scans += code == SOS
        if scans > MOST_SCANS:
            raise UnsoundPicture(f"the JPEG has more than {MOST_SCANS} scans")
        # A length under 2 can't be; going on behind it finds the next real segment.
        yield code, position + 2, min(position + max(length, 2), len(data))
        position += max(length, 2)
        if position > len(data):
            position = len(data)
    raise UnsoundPicture(f"the JPEG has more than {MOST_PARTS} segments")


def _next_marker(data: memoryview, position: int) -> re.Match[bytes] | None:
    # A search lets no other thread run, and takes up to 12 ms for a million bytes.
    for start in range(position, len(data), _WINDOW):
        if found := _MARKER.search(data, start, start + _WINDOW + 1):
            return found
    return None


def chunks(data: memoryview) -> Iterator[tuple[int, int, int]]:
    """Each PNG chunk as (its name as a number, start, end of its content), to the end."""
    position = len(_PNG)
    for _number in range(MOST_PARTS):
        if position + 12 > len(data):
            break
        length = int.from_bytes(data[position : position + 4], "big")
        name = bytes(data[position + 4 : position + 8])
        end = position + 8 + length
        if end + 4 > len(data):
            break
        yield int.from_bytes(name, "big"), position + 8, end
        if name == b"IEND":
            return
        position = end + 4
    else:
        raise UnsoundPicture(f"the PNG has more than {MOST_PARTS} chunks")
    raise IncompletePicture(f"the PNG is cut off after {len(data)} bytes: its end is missing")
