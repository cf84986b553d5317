"""What one decode may cost: told from the header before it begins, and bounded for a whole process.

An ordinary picture is decoded where it is wanted, and the memory of all that are decoded there at a
time is bounded. A costly one is decoded alone, in a process with limits (shared/picture/alone.py).
One whose cost can't be right is not decoded at all.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.errors import UnsoundPicture
from shared.picture.header import Header

MEMORY_BYTES = 160 * 2**20
"""Of one decode, beside the picture file where it lies."""
OUTPUT_BYTES = 64 * 2**20
"""Of the pixels of one picture; a larger one is decoded smaller."""
MOST_SIDE = 2**18
"""Pixels in a row or a column of a picture that is decoded."""
MOST_OUTPUT_SIDE = 65_500
"""What a JPEG can have: pixels are encoded again."""
VISITS = 10**9
"""Samples that a decoder goes through in all scans together; 50 megapixels in 20 scans."""

ORDINARY_BYTES = 48 * 2**20
ORDINARY_VISITS = 2 * 10**8
ORDINARY_FILE = 4 * 2**20
TOGETHER_BYTES = 64 * 2**20
"""Of all ordinary decodes of a process at a time."""


@dataclass(frozen=True, slots=True)
class Cost:
    """``divisor``: the pixels come out so many times smaller each way, as memory allows."""

    divisor: int
    memory: int
    visits: int
    file_bytes: int

    @property
    def ordinary(self) -> bool:
        """Whether this can neither stop a process nor hold one up."""
        return (
            self.memory <= ORDINARY_BYTES
            and self.visits <= ORDINARY_VISITS
            and self.file_bytes <= ORDINARY_FILE
        )


def cost(header: Header, file_bytes: int, divisor: int, *, simple: bool) -> Cost:
    """The cost of a decode that makes the picture ``divisor`` times smaller or, where memory does
    not allow that, smaller still; ``simple``: by simplejpeg and nothing else. Raises UnsoundPicture
    when nothing is small enough."""
    if max(header.width, header.height) > MOST_SIDE:
        raise UnsoundPicture(
            f"{header.width}×{header.height}: no side may have more than {MOST_SIDE} pixels"
        )
    pixels = header.width * header.height
    visits = header.passes * pixels if header.buffered else header.samples
    if visits > VISITS:
        raise UnsoundPicture(f"its scans go through {visits} samples; {VISITS} are allowed")
    while True:
        output, memory = _memory(header, file_bytes, divisor, simple=simple)
        side = max(header.width, header.height) / divisor
        if output <= OUTPUT_BYTES and memory <= MEMORY_BYTES and side <= MOST_OUTPUT_SIDE:
            return Cost(divisor, memory, visits, file_bytes)
        if divisor >= 8:
            raise UnsoundPicture(
                f"{header.width}×{header.height} pixels of its kind take {memory >> 20} MiB to"
                f" decode; {MEMORY_BYTES >> 20} are allowed"
            )
        divisor *= 2


def _memory(header: Header, file_bytes: int, divisor: int, *, simple: bool) -> tuple[int, int]:
    """The bytes of the pixels, and of all that is needed to make them."""
    pixels = header.width * header.height
    smaller = -(-header.width // divisor) * -(-header.height // divisor)
    output = 3 * smaller
    needed = output * (1 if header.orientation == 1 else 2)
    if header.buffered:
        needed += 2 * header.samples
    if not simple:  # Pillow keeps four bytes a pixel, and a PNG's whole; and a copy of the file
        needed += 4 * (pixels if header.media_type == "image/png" else smaller) + file_bytes
    return output, needed


class Room:
    """Memory for several users at a time. They wait for it in the order in which they came, so that
    a large one is not kept waiting by small ones."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._turn = threading.Lock()
        self._freed = threading.Condition()

    @contextmanager
    def reserve(self, size: int) -> Iterator[None]:
        """Wait for so much, at most all there is, and hold it."""
        with self._turn, self._freed:
            self._freed.wait_for(lambda: self._free >= size)
            self._free -= size
        try:
            yield
        finally:
            with self._freed:
                self._free += size
                self._freed.notify()


ROOM = Room(TOGETHER_BYTES)
"""That of this process: services that share one share its memory."""
