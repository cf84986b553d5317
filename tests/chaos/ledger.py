"""What the senders know: which pictures they tried to send, and what they were told."""

from __future__ import annotations

import hashlib
import io
import threading
from collections import Counter

from PIL import Image


class Ledger:
    """The senders' own log. A picture is known by its sha256; any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.attempted: set[str] = set()
        self.acknowledged: set[str] = set()
        self.unsound: set[str] = set()
        """Pictures that must be refused, and never be heard of again."""
        self.answers: Counter[str] = Counter()
        """Tries by their end: acknowledged, refused (4xx, 5xx), unknown (no answer)."""

    def attempt(self, data: bytes, *, sound: bool = True) -> str:
        """Note a picture before its first byte is sent; returns its sha256."""
        sha256 = hashlib.sha256(data).hexdigest()
        with self._lock:
            self.attempted.add(sha256)
            if not sound:
                self.unsound.add(sha256)
        return sha256

    def answer(self, sha256: str, answer: str) -> None:
        """Note how a try ended."""
        with self._lock:
            self.answers[answer] += 1
            if answer == "acknowledged":
                self.acknowledged.add(sha256)


class Pictures:
    """Small sound JPEGs, each with other bytes: a few drawn ones with a comment of their own."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._count = 0
        self._bases = [_noise(width) for width in (128, 160, 200)]

    def next(self) -> bytes:
        """A picture that there was not yet."""
        with self._lock:
            self._count += 1
            number = self._count
        comment = f"picture {number} of run {self._seed}".encode()
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        base = self._bases[number % len(self._bases)]
        return base[:2] + segment + base[2:]


def _noise(width: int) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((width, width * 3 // 4), 60).convert("RGB").save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
