"""Pictures made on the spot, whole and damaged in known ways."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def scene(width: int = 320, height: int = 240) -> Image.Image:
    """Something with edges, gradients and grain, so that its JPEG has many bits to damage."""
    rows, columns = np.mgrid[0:height, 0:width]
    grain = np.random.default_rng(7).integers(0, 40, (height, width, 3))
    base = np.stack((columns % 200, rows % 180, (rows + columns) % 220), axis=2)
    return Image.fromarray(np.clip(base + grain, 0, 255).astype(np.uint8))


def jpeg(image: Image.Image | None = None, **options) -> bytes:
    file = io.BytesIO()
    (image or scene()).save(file, "JPEG", **({"quality": 85} | options))
    return file.getvalue()


def png(image: Image.Image | None = None, **options) -> bytes:
    file = io.BytesIO()
    (image or scene()).save(file, "PNG", **options)
    return file.getvalue()


def with_orientation(image: Image.Image, orientation: int, form: str = "JPEG") -> bytes:
    """A file whose EXIF asks for this rotation, as a camera on its side writes it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    image.save(file, form, exif=exif, **({"quality": 95} if form == "JPEG" else {}))
    return file.getvalue()


def with_details(image: Image.Image, form: str = "JPEG") -> bytes:
    """A file whose EXIF says who took it, with what and where; the words are SECRET."""
    exif = Image.Exif()
    for tag in (0x010F, 0x013B, 0x9286, 0xA431):  # maker, author, comment, serial number
        exif[tag] = "SECRET"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 14.0), 29: "SECRET"})
    file = io.BytesIO()
    image.save(file, form, exif=exif, comment=b"SECRET", pnginfo=None)
    return file.getvalue()


def damaged(data: bytes) -> dict[str, bytes]:
    """Every way in which a JPEG gets damaged on its way, by name."""
    start = len(data) // 2
    flipped = bytearray(data)
    for place in range(start, start + 20 * 31, 31):
        if 0xFF not in flipped[place - 1 : place + 2]:  # leave markers, and make none
            flipped[place] ^= 0x01
    tail = len(data) * 7 // 10
    return {
        "cut in half": data[:start],
        "last 200 bytes missing": data[:-200],
        "end missing": data[:-2],
        "tail of zeros": data[:tail] + bytes(len(data) - tail),
        "tail of zeros, then an end": data[:tail] + bytes(len(data) - tail) + b"\xff\xd9",
        "flipped bytes": bytes(flipped),
    }
