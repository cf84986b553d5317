"""What Pillow decodes: PNG, and the JPEGs that simplejpeg can't (CMYK) or won't (flawed ones).

Pillow keeps a whole picture at four bytes a pixel. It is taken over in strips, so that nothing else
is held twice.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from shared.errors import UnsoundPicture
from shared.picture.format import MAGIC, chunks
from shared.picture.header import Header

_NEEDED = frozenset(int.from_bytes(name, "big") for name in (b"IHDR", b"PLTE", b"IDAT", b"IEND"))
_STRIP_PIXELS = 2**18


def decode_png(data: memoryview, header: Header, divisor: int) -> npt.NDArray[np.uint8]:
    """Blue-green-red pixels as stored, not upright. Raises IncompletePicture, UnsoundPicture."""
    # Texts, profiles and further frames are for others: compressed, they can be as large as they
    # like once they are opened.
    needed = [data[start - 8 : end + 4] for name, start, end in chunks(data) if name in _NEEDED]
    return _decoded(b"".join((MAGIC[1], *needed)), "PNG", header, divisor)


def decode_jpeg(data: memoryview, header: Header, divisor: int) -> npt.NDArray[np.uint8]:
    """The same of a JPEG."""
    return _decoded(bytes(data), "JPEG", header, divisor)


def shrink(pixels: npt.NDArray[np.uint8], width: int, height: int) -> npt.NDArray[np.uint8]:
    """Averages over areas."""
    size = (width, height)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


def _decoded(data: bytes, kind: str, header: Header, divisor: int) -> npt.NDArray[np.uint8]:
    try:
        with warnings.catch_warnings():
            # Pillow's own guess of what is too large; ours was asked before.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=[kind]) as image:
                if image.size != (header.width, header.height):
                    raise UnsoundPicture("the file says two different sizes")
                if kind == "JPEG" and divisor > 1:
                    image.draft(None, (image.width // divisor, image.height // divisor))
                    divisor = 1
                image.load()
                return _strips(image, divisor)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, UnidentifiedImageError):
            raise UnsoundPicture(f"the {kind} does not decode: unknown variant") from error
        raise UnsoundPicture(f"the {kind} does not decode: {error}") from error


def _strips(image: Image.Image, divisor: int) -> npt.NDArray[np.uint8]:
    width, height = image.size
    rows = max(1, _STRIP_PIXELS // width // divisor) * divisor
    shape = (-(-height // divisor), -(-width // divisor), 3)
    pixels = np.empty(shape, dtype=np.uint8)
    for top in range(0, height, rows):
        strip = _flat(image.crop((0, top, width, min(top + rows, height))))
        if divisor > 1:
            strip = strip.reduce(divisor)
        first = top // divisor
        pixels[first : first + strip.height] = np.asarray(strip)[:, :, ::-1]
    return pixels


def _flat(image: Image.Image) -> Image.Image:
    """Three 8-bit channels; 16-bit grey is scaled, which convert() would clip to white."""
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.uint32) >> 8
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    return image.convert("RGB")
