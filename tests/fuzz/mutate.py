"""Changes bytes as transports, encoders and people of ill will do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
MOST_CHANGES = 8


class Mutator:
    """Makes inputs of ``seeds``; ``words`` are what the reader looks for. Equal ``random``, equal
    inputs."""

    def __init__(self, seeds: Sequence[bytes], words: Sequence[bytes], random: Random) -> None:
        self._seeds = seeds
        self._words = words
        self._random = random
        self._changes: tuple[Callable[[bytearray], None], ...] = (
            self._flip,
            self._number,
            self._word,
            self._cut,
            self._repeat,
            self._splice,
            self._noise,
        )

    def __call__(self) -> bytes:
        data = bytearray(self._random.choice(self._seeds))
        for _ in range(self._random.randint(1, MOST_CHANGES)):
            self._random.choice(self._changes)(data)
        return bytes(data)

    def _place(self, data: bytearray) -> int:
        # Half of them near the start, where headers are.
        most = len(data) if self._random.random() < 0.5 else min(len(data), 700)
        return self._random.randint(0, most)

    def _flip(self, data: bytearray) -> None:
        if data:
            data[self._place(data) % len(data)] ^= 1 << self._random.randrange(8)

    def _number(self, data: bytearray) -> None:
        size = self._random.choice((1, 2, 4))
        number = self._random.choice(NUMBERS) % 256**size
        place = self._place(data)
        data[place : place + size] = number.to_bytes(size, "big")

    def _word(self, data: bytearray) -> None:
        place = self._place(data)
        word = self._random.choice(self._words)
        data[place : place + self._random.choice((0, len(word)))] = word

    def _cut(self, data: bytearray) -> None:
        place = self._place(data)
        del data[place : place + self._random.choice((1, 2, 16, 1000))]

    def _repeat(self, data: bytearray) -> None:
        place = self._place(data)
        piece = data[place : place + self._random.randint(1, 64)]
        data[place:place] = piece * self._random.choice((1, 2, 100))

    def _splice(self, data: bytearray) -> None:
        other = self._random.choice(self._seeds)
        start = self._random.randint(0, len(other))
        place = self._place(data)
        data[place : place + 64] = other[start : start + 64]

    def _noise(self, data: bytearray) -> None:
        place = self._place(data)
        data[place:place] = self._random.randbytes(self._random.randint(1, 8))
