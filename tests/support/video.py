"""Pictures as a stream of H.264, made on the spot."""

from __future__ import annotations

import io
from fractions import Fraction

import av
from PIL import Image, ImageChops, ImageStat


def photograph(size: tuple[int, int] = (320, 240), *, turned: int = 0) -> bytes:
    """A picture with large and small forms, as cameras see; noise would not survive a stream."""
    image = Image.radial_gradient("L").resize(size)
    other = Image.linear_gradient("L").rotate(turned).resize(size)
    out = io.BytesIO()
    Image.merge("RGB", (image, other, image.rotate(180))).save(out, "JPEG", quality=95)
    return out.getvalue()


def difference(one: bytes, other: bytes) -> float:
    """How far the values of two pictures are apart, of 255."""
    first, second = (Image.open(io.BytesIO(each)).convert("RGB") for each in (one, other))
    apart = ImageChops.difference(first, second.resize(first.size))
    return max(ImageStat.Stat(apart).mean)


def h264(picture: bytes, size: tuple[int, int] = (320, 240)) -> bytes:
    """One key frame, with what a decoder needs to know before it."""
    image = Image.open(io.BytesIO(picture)).convert("RGB").resize(size)
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = size
    encoder.pix_fmt = "yuv420p"
    encoder.framerate = Fraction(5)
    encoder.options = {
        "profile": "baseline",
        "crf": "23",
        "x264-params": "annexb=1:sliced-threads=0",
    }
    encoder.thread_count = 1
    frame = av.VideoFrame.from_image(image)
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
