"""A stored picture as it is sent: upright, within Amazon's limits, and without what EXIF tells."""

from __future__ import annotations

from shared.picture import pillow
from shared.picture.decode import Decoded, encode

MAX_BYTES = 5_000_000
"""Amazon takes 5 MB in a request."""
QUALITIES = (90, 75, 50, 25)


def prepared(picture: Decoded, longest: int) -> bytes:
    """A JPEG that Amazon takes."""
    # Made anew always: where it was taken, and by whose camera, is nobody's business there; and its
    # boxes are those of the upright picture.
    pixels = picture.pixels
    height, width = pixels.shape[:2]
    scale = min(1.0, longest / max(width, height))
    while True:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        smaller = pixels if size == (width, height) else pillow.shrink(pixels, *size)
        for quality in QUALITIES:
            made = encode(smaller, quality)
            if len(made) <= MAX_BYTES:
                return made
        scale /= 2
