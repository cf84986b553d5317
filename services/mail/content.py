"""Where the content of a mail ends: at a line of one dot, and nowhere else (RFC 5321, 4.5.2).

A line ends with CR LF. What a bare LF or CR and a dot look like to others is content here, or a
sender could hide a mail in a mail.
"""

from __future__ import annotations

END = b"\r\n.\r\n"
_BEGINNINGS = tuple(END[:length] for length in range(len(END) - 1, 0, -1))


class Content:
    """Takes bytes cut anywhere; gives back the content without the dots that were added to it."""

    def __init__(self) -> None:
        self.over = False
        self.rest = b""
        """What came after the end: commands."""
        self._held = b"\r\n"  # the dot may be on the first line
        self._begun = False

    def take(self, chunk: bytes) -> bytes:
        """The content that is certain by now; to be called until it is ``over``."""
        data = self._held + chunk
        end = data.find(END)
        if end >= 0:
            self.over = True
            self.rest = data[end + len(END) :]
            data = data[: end + 2]
        else:
            kept = next((each for each in _BEGINNINGS if data.endswith(each)), b"")
            data, self._held = data[: len(data) - len(kept)], kept
        data = data.replace(b"\r\n.", b"\r\n")
        if data and not self._begun:
            self._begun = True
            data = data[2:]
        return data
