"""Small real pictures, made on the spot: the same arguments give the same bytes."""

from __future__ import annotations

import io
import random
import struct

from PIL import Image


def _noise(size: tuple[int, int], seed: int) -> Image.Image:
    return Image.frombytes("RGB", size, random.Random(seed).randbytes(3 * size[0] * size[1]))


def jpeg(shade: int = 90, size: tuple[int, int] = (64, 48)) -> bytes:
    """A small real JPEG; each shade is another picture."""
    out = io.BytesIO()
    _noise(size, shade).save(out, "JPEG")
    return out.getvalue()


def jpeg_with_thumbnail() -> bytes:
    """A JPEG whose header holds another whole JPEG, as cameras with EXIF make them."""
    thumbnail = jpeg(size=(16, 12))
    segment = b"Exif\x00\x00" + thumbnail
    picture = jpeg()
    return picture[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + picture[2:]


def png() -> bytes:
    """A small real PNG."""
    out = io.BytesIO()
    _noise((32, 24), 60).save(out, "PNG")
    return out.getvalue()


PICTURE = jpeg()
PHOTOS = [jpeg(shade) for shade in (1, 2, 3)]
