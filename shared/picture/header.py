"""What a picture file says of itself without a decode: its size, its rotation, its scans."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from shared.errors import UnsoundPicture
from shared.picture.exif import APP1, MARK, PNG_CHUNK, PNG_DATA, orientation
from shared.picture.format import HEAD, SOS, Bytes, MediaType, chunks, opened, segments, sniff

_BASELINE, _PROGRESSIVE = 0xC0, 0xC2
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_READABLE = frozenset({_BASELINE, 0xC1, _PROGRESSIVE})


@dataclass(frozen=True, slots=True)
class Header:
    """What is known without decoding. ``orientation`` is EXIF's 1 to 8; 1 is upright.

    ``samples`` are the values of all components together. ``passes`` is how often a decoder goes
    over one of them; more than one component in one scan are as many passes. A JPEG is ``buffered``
    when all its samples have to be kept until the last scan. ``readable``: not one of the kinds of
    JPEG that no camera writes and no browser shows (arithmetic coding, lossless, hierarchical).
    """

    media_type: MediaType
    width: int
    height: int
    orientation: int = 1
    components: int = 3
    samples: int = 0
    passes: int = 1
    buffered: bool = False
    readable: bool = True

    @property
    def turned(self) -> bool:
        """Whether upright means width and height exchanged."""
        return self.orientation >= 5


def read_header(picture: Bytes | Path) -> Header:
    """What is known of a picture, read up to the first picture data only; of a JPEG with several
    scans, up to its end. Raises PictureError."""
    with opened(picture) as data:
        media_type = sniff(bytes(data[:HEAD]))
        return _png_header(data) if media_type == "image/png" else _jpeg_header(data)


def _png_header(data: memoryview) -> Header:
    if len(data) < 26 or bytes(data[12:16]) != b"IHDR":
        raise UnsoundPicture("the PNG does not begin with its header")
    width, height, _depth, colour = struct.unpack(">IIBB", data[16:26])
    turned = 1
    for name, start, end in chunks(data):
        if name == PNG_CHUNK:
            turned = orientation(data[start:end])
        if name == PNG_DATA:
            break
    components = {0: 1, 4: 2, 6: 4}.get(colour, 3)
    return Header("image/png", width, height, turned, components, width * height * components)


def _jpeg_header(data: memoryview) -> Header:
    frame, kind, turned = b"", 0, 1
    components = passes = 0
    buffered = False
    for code, start, end in segments(data):
        if code in _FRAMES and end - start >= 6 and not frame:
            kind, frame = code, bytes(data[start:end])
            components = frame[5]
            buffered = code == _PROGRESSIVE
        elif code == APP1 and bytes(data[start : start + 6]) == MARK:
            turned = orientation(data[start + 6 : end])
        elif code == SOS:
            together = data[start] if end > start else 0
            passes += max(1, together)
            # All components in one scan: what follows it is its data, and no more of the picture.
            buffered = buffered or together < components
            if not buffered:
                break
    height, width = struct.unpack(">HH", frame[1:5]) if frame else (0, 0)
    if not (width and height):
        raise UnsoundPicture("the JPEG does not say how large it is")
    return Header(
        "image/jpeg",
        width,
        height,
        turned,
        components,
        _samples(frame, width, height),
        passes if buffered else 1,
        buffered,
        kind in _READABLE,
    )


def _samples(frame: bytes, width: int, height: int) -> int:
    """The values of all components of a JPEG, of which some may be coarser than others."""
    factors = [(each >> 4, each & 15) for each in frame[7::3][: frame[5]]]
    across, down = (max((f[i] for f in factors), default=1) or 1 for i in (0, 1))
    # Blocks of 8 × 8, in groups as large as the factors say, the last of them padded.
    blocks = -(-width // (8 * across)) * -(-height // (8 * down))
    return 64 * blocks * sum(a * d for a, d in factors)
