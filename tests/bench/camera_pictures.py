"""Camera-like pictures of known size, drawn, so that the measurements need no test data."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from PIL import Image


@cache
def camera_jpeg(width: int, height: int, quality: int) -> bytes:
    """A scene of soft shapes with a sensor's grain, the same on every call."""
    noise = np.random.default_rng(11)
    soft = noise.integers(0, 256, (height // 60, width // 60, 3), dtype=np.uint8)
    image = Image.fromarray(soft).resize((width, height), Image.Resampling.BICUBIC)
    grain = np.kron(noise.normal(0, 5, (height // 2, width // 2, 3)), np.ones((2, 2, 1)))
    pixels = np.clip(np.asarray(image)[: grain.shape[0], : grain.shape[1]] + grain, 0, 255)
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG", quality=quality)
    return file.getvalue()


def full_hd() -> bytes:
    return camera_jpeg(1920, 1080, 76)


def ultra_hd() -> bytes:
    return camera_jpeg(3840, 2160, 80)
