"""The one strict decode of a picture, shared by validation, detection and thumbnails.

simplejpeg in strict mode turns every warning of libjpeg into an error: it finds damage in the
middle of a picture that Pillow's load() decodes as if nothing were, and it is faster. Pillow
reads PNG, and the JPEGs libjpeg-turbo's simple interface can't (CMYK).
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image, UnidentifiedImageError

from shared.errors import UnsoundPicture
from shared.picture.format import Bytes, Header, check_complete, read_header

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
    """What is decoded at all. ``strict`` means any flaw in a JPEG makes it unsound."""

    max_pixels: int = 50_000_000
    strict: bool = True


@dataclass(frozen=True, slots=True)
class Decoded:
    """An upright picture. ``width`` and ``height`` are those of the whole picture, upright;
    ``pixels`` may be smaller when a smaller decode was asked for."""

    pixels: Pixels
    width: int
    height: int


def decode(
    data: Bytes,
    limits: Limits | None = None,
    *,
    fit: tuple[int, int] | None = None,
) -> Decoded:
    """The picture, upright; raises NotAPicture, IncompletePicture or UnsoundPicture.

    ``fit`` is the box (width, height) into which the caller will scale the picture. It allows a
    JPEG to be decoded smaller, though no smaller than fits; all of its data is read and checked
    all the same.
    """
    limits = limits or Limits()
    header = read_header(data)
    if header.width * header.height > limits.max_pixels:
        raise UnsoundPicture(
            f"{header.width}×{header.height} pixels are more than the {limits.max_pixels} allowed"
        )
    simple = header.media_type == "image/jpeg" and header.components in (1, 3)
    if not (simple and limits.strict):  # a strict decode finds a missing end by itself
        check_complete(data)
    pixels = _jpeg(data, header, limits, fit) if simple else _pillow(data, header)
    width, height = header.width, header.height
    if header.turned:
        width, height = height, width
    return Decoded(_upright(pixels, header.orientation), width, height)


def encode(pixels: Pixels, quality: int = 85) -> bytes:
    """A JPEG of these pixels; it carries no EXIF and nothing else of the original file."""
    return bytes(simplejpeg.encode_jpeg(pixels, quality=quality, colorspace="BGR"))


def thumbnail(data: Bytes, longest: int, limits: Limits | None = None, quality: int = 80) -> bytes:
    """A small upright JPEG without EXIF, its longer side at most ``longest`` pixels."""
    picture = decode(data, limits, fit=(longest, longest))
    scale = min(1.0, longest / max(picture.width, picture.height))
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    small = Image.fromarray(np.ascontiguousarray(picture.pixels[:, :, ::-1]))
    small = small.resize(size, Image.Resampling.BOX)
    return encode(np.ascontiguousarray(np.asarray(small)[:, :, ::-1]), quality)


def _jpeg(data: Bytes, header: Header, limits: Limits, fit: tuple[int, int] | None) -> Pixels:
    divisor = _divisor(header, fit) if fit else 1
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(
            data,
            colorspace="BGR",
            min_width=-(-header.width // divisor),
            min_height=-(-header.height // divisor),
            strict=limits.strict,
        )
    except ValueError as error:
        if not limits.strict:  # some flaws simplejpeg never lets pass
            return _pillow(data, header)
        raise UnsoundPicture(f"the JPEG does not decode: {error}") from error
    return pixels


def _divisor(header: Header, fit: tuple[int, int]) -> int:
    """The largest of 1, 2, 4, 8 that leaves enough. Other divisors take longer than none at all."""
    width, height = fit[::-1] if header.turned else fit
    enough = max(header.width / width, header.height / height)
    return next((divisor for divisor in (8, 4, 2) if divisor <= enough), 1)


def _pillow(data: Bytes, header: Header) -> Pixels:
    kind = "PNG" if header.media_type == "image/png" else "JPEG"
    try:
        with warnings.catch_warnings():
            # Pillow's own guess of what is too large; ours was asked before.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=[kind]) as image:
                if image.size != (header.width, header.height):
                    raise UnsoundPicture("the file says two different sizes")
                rgb = np.asarray(_flat(image))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, UnidentifiedImageError):
            raise UnsoundPicture(f"the {kind} does not decode: unknown variant") from error
        raise UnsoundPicture(f"the {kind} does not decode: {error}") from error
    return np.ascontiguousarray(rgb[:, :, ::-1])


def _flat(image: Image.Image) -> Image.Image:
    """Three 8-bit channels; 16-bit grey is scaled, which convert() would clip to white."""
    image.load()
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.uint32) >> 8
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    return image.convert("RGB")


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    if orientation not in _UPRIGHT:
        return pixels
    exchange, up_down, left_right = _UPRIGHT[orientation]
    if exchange:
        pixels = pixels.transpose(1, 0, 2)
    return np.ascontiguousarray(pixels[:: -1 if up_down else 1, :: -1 if left_right else 1])
