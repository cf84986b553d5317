"""Row 6: from the file to the network's tensor, checked; against Pillow twice, as is common.

The baseline decodes to check the picture, decodes again for the detector, and scales.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from services.detector.engines.letterbox import Input, blank, letterbox, preprocess
from shared.picture.decode import decode
from tests.bench.camera_pictures import full_hd, ultra_hd
from tests.bench.results import Row, ratios

TARGET = Input(640, 640, 32, flexible=True)
REPEATS = 12


def run() -> Iterator[Row]:
    for name, data, target, gate in (
        ("1080p", full_hd(), 3.5, 2.5),
        ("4K", ultra_hd(), 6.0, 4.0),
    ):
        fast, full = ratios(
            _timed(_pillow_twice, data),
            _timed(_ours, data, (640, 640)),
            _timed(_ours, data, None),
        )
        detail = f"{1e3 * fast[2]:.1f} ms, Pillow {1e3 * fast[1]:.1f} ms, {len(data) >> 10} KiB"
        yield Row(6, f"check and decode to tensor, {name}", fast[0], target, gate, detail=detail)
        yield Row(6, f"the same, decode: full, {name}", full[0], detail=f"{1e3 * full[2]:.1f} ms")


def _timed(work: Callable[..., object], *arguments: object) -> Callable[[], float]:
    def timed() -> float:
        start = time.perf_counter()
        for _ in range(REPEATS):
            work(*arguments)
        return (time.perf_counter() - start) / REPEATS

    return timed


def _pillow_twice(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])
    return _tensor(pixels)


def _ours(data: bytes, fit: tuple[int, int] | None) -> np.ndarray:
    return _tensor(decode(data, fit=fit).pixels)


def _tensor(pixels: np.ndarray) -> np.ndarray:
    box = letterbox(pixels.shape[1], pixels.shape[0], TARGET)
    tensor = blank(box)
    preprocess(pixels, box, tensor)
    return tensor
