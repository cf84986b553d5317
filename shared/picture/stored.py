"""A picture of the store as an analyser sees it: its bytes at once, its pixels on demand.

A local engine wants pixels; a cloud, a language model or a meter reader wants the file as it was
sent. Both are given one of these, and what nobody asks for is never decoded.
"""

from __future__ import annotations

from shared.picture.decode import Decoded, Limits, decode
from shared.picture.format import MediaType, sniff


class StoredPicture:
    """Belongs to one thread. ``fit`` is the box into which pixels will be scaled (see decode)."""

    def __init__(self, data: bytes, limits: Limits, fit: tuple[int, int] | None = None) -> None:
        self.data = data
        self._limits = limits
        self._fit = fit
        self._upright: Decoded | None = None

    @property
    def media_type(self) -> MediaType:
        """The kind of file, by its first bytes. Raises NotAPicture."""
        return sniff(self.data)

    @property
    def upright(self) -> Decoded:
        """The pixels, upright; the strict decode that proves the picture sound is made at the first
        call only. Raises NotAPicture, IncompletePicture or UnsoundPicture."""
        if self._upright is None:
            self._upright = decode(self.data, self._limits, fit=self._fit)
        return self._upright
