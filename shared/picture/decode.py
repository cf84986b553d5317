"""The one strict decode of a picture, shared by validation, detection and thumbnails.

simplejpeg in strict mode turns every warning of libjpeg into an error: it finds damage in the
middle of a picture that Pillow's load() decodes as if nothing were, and it is faster. Pillow
(shared/picture/pillow.py) reads PNG, and the JPEGs libjpeg-turbo's simple interface can't (CMYK).

Every picture is hostile until it is decoded: what it costs is told from its header first, see
shared/picture/budget.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import simplejpeg

from shared.errors import UnsoundPicture
from shared.picture import alone, pillow
from shared.picture.budget import ROOM, Cost, cost
from shared.picture.format import Bytes, check_complete, opened
from shared.picture.header import Header, read_header

Pixels = npt.NDArray[np.uint8]
"""Height × width × 3, blue-green-red, contiguous."""

# What to do with a picture as stored so that it stands upright, by EXIF orientation:
# (exchange rows and columns first, then mirror up-down, then mirror left-right).
_UPRIGHT = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What is decoded at all. ``strict``: any flaw makes a JPEG unsound. ``seconds``: of processor,
    for the decode of a costly picture."""

    max_pixels: int = 50_000_000
    strict: bool = True
    seconds: float = 1.5


@dataclass(frozen=True, slots=True)
class Decoded:
    """An upright picture. ``width`` and ``height`` are those of the whole picture, upright;
    ``pixels`` may be smaller when a smaller decode was asked for."""

    pixels: Pixels
    width: int
    height: int


def decode(
    picture: Bytes | Path,
    limits: Limits | None = None,
    *,
    fit: tuple[int, int] | None = None,
) -> Decoded:
    """The picture, upright; raises NotAPicture, IncompletePicture or UnsoundPicture, and Crashed
    when its decoder ended without an answer.

    ``fit`` is the box (width, height) into which the caller will scale the picture: it may be
    decoded smaller then, but never below the box, and all of its data is checked. One whose pixels
    would take too much memory is decoded smaller in any case.
    """
    limits = limits or Limits()
    with opened(picture) as data:
        header = read_header(data)
        expected = _cost(header, len(data), limits, fit)
        if expected.ordinary:
            with ROOM.reserve(expected.memory):
                pixels = decode_here(data, header, expected.divisor, strict=limits.strict)
        else:
            pixels = alone.decode(picture, expected, limits.seconds, strict=limits.strict)
    width, height = header.width, header.height
    if header.turned:
        width, height = height, width
    return Decoded(pixels, width, height)


def decode_here(data: memoryview, header: Header, divisor: int, *, strict: bool) -> Pixels:
    """The pixels, upright; without a look at what they cost."""
    simple = header.media_type == "image/jpeg" and header.components in (1, 3)
    if header.media_type == "image/png":
        pixels = pillow.decode_png(data, header, divisor)
    elif simple:
        pixels = _jpeg(data, header, divisor, strict=strict)
    else:
        check_complete(data)
        pixels = pillow.decode_jpeg(data, header, divisor)
    return _upright(pixels, header.orientation)


def encode(pixels: Pixels, quality: int = 85) -> bytes:
    """A JPEG of these pixels; it carries no EXIF and nothing else of the original file."""
    return bytes(simplejpeg.encode_jpeg(pixels, quality=quality, colorspace="BGR"))


def thumbnail(
    picture: Bytes | Path, longest: int, limits: Limits | None = None, quality: int = 80
) -> bytes:
    """A small upright JPEG without EXIF, its longer side at most ``longest`` pixels."""
    decoded = decode(picture, limits, fit=(longest, longest))
    scale = min(1.0, longest / max(decoded.width, decoded.height))
    width = max(1, round(decoded.width * scale))
    height = max(1, round(decoded.height * scale))
    return encode(pillow.shrink(decoded.pixels, width, height), quality)


def _cost(header: Header, size: int, limits: Limits, fit: tuple[int, int] | None) -> Cost:
    """What the decode costs, and how much smaller it may be; raises UnsoundPicture."""
    if header.width * header.height > limits.max_pixels:
        raise UnsoundPicture(
            f"{header.width}×{header.height} pixels are more than the {limits.max_pixels} allowed"
        )
    if not header.readable:
        raise UnsoundPicture("a JPEG of a kind that no camera writes: arithmetic or lossless")
    # Whatever simplejpeg never lets pass is given to Pillow, unless it is refused.
    simple = header.media_type == "image/jpeg" and header.components in (1, 3) and limits.strict
    return cost(header, size, _divisor(header, fit) if fit else 1, simple=simple)


def _jpeg(data: memoryview, header: Header, divisor: int, *, strict: bool) -> Pixels:
    if not strict:  # a strict decode finds a missing end by itself
        check_complete(data)
    try:
        height, width = simplejpeg.decode_jpeg_header(data, strict=strict)[:2]
        if (width, height) != (header.width, header.height):
            raise UnsoundPicture("the file says two different sizes")
        pixels: Pixels = simplejpeg.decode_jpeg(
            data,
            colorspace="BGR",
            min_width=-(-width // divisor),
            min_height=-(-height // divisor),
            strict=strict,
        )
    except ValueError as error:
        if not strict:  # some flaws simplejpeg never lets pass
            return pillow.decode_jpeg(data, header, divisor)
        raise UnsoundPicture(f"the JPEG does not decode: {error}") from error
    return pixels


def _divisor(header: Header, fit: tuple[int, int]) -> int:
    """The largest of 1, 2, 4, 8 that leaves enough. Other divisors take longer than none at all."""
    width, height = fit[::-1] if header.turned else fit
    enough = max(header.width / width, header.height / height)
    return next((divisor for divisor in (8, 4, 2) if divisor <= enough), 1)


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    if orientation not in _UPRIGHT:
        return pixels
    exchange, up_down, left_right = _UPRIGHT[orientation]
    if exchange:
        pixels = pixels.transpose(1, 0, 2)
    return np.ascontiguousarray(pixels[:: -1 if up_down else 1, :: -1 if left_right else 1])
