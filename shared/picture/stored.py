"""A picture of the store as an analyser sees it: its bytes at once, its pixels on demand.

A local engine wants pixels; a cloud, a language model or a meter reader wants the file as it was
sent. Both are given one of these, and what nobody asks for is never decoded.
"""

from __future__ import annotations

from pathlib import Path

from shared.picture.decode import Decoded, Limits, decode
from shared.picture.format import HEAD, MediaType, sniff


class StoredPicture:
    """Belongs to one thread. ``fit`` is the box into which pixels will be scaled (see decode). A
    large picture is given as its file, of which nobody holds the bytes who does not want them."""

    def __init__(
        self, source: bytes | Path, limits: Limits, fit: tuple[int, int] | None = None
    ) -> None:
        self._source = source
        self._limits = limits
        self._fit = fit
        self._upright: Decoded | None = None

    @property
    def data(self) -> bytes:
        """The file as it came."""
        return self._source.read_bytes() if isinstance(self._source, Path) else self._source

    @property
    def media_type(self) -> MediaType:
        """The kind of file, by its first bytes. Raises NotAPicture."""
        return sniff(self.data[:HEAD])

    @property
    def upright(self) -> Decoded:
        """The pixels, upright; the strict decode that proves the picture sound is made at the first
        call only. Raises as decode does."""
        if self._upright is None:
            self._upright = decode(self._source, self._limits, fit=self._fit)
        return self._upright
