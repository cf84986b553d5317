"""Messages that are too large are thrown away while they come: only their size is kept."""

from __future__ import annotations

from typing import Any

from pika.channel import ContentFrameAssembler

MOST_BYTES = 16_000_000
"""Of one message. RabbitMQ itself may take eight times as much."""


class Bounded(ContentFrameAssembler):  # type: ignore[misc]
    """Puts the frames of a channel's messages together. ``left_out`` are the bytes of the last
    message, if they were too many: it has no body then."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        super().__init__()
        self._most = most
        self.left_out = 0

    def _handle_body_frame(self, body_frame: Any) -> Any:
        size = self._header_frame.body_size
        if size > self._most:
            self._body_fragments.clear()
        whole = super()._handle_body_frame(body_frame)
        if whole is None or size <= self._most:
            return whole
        method, header, _end = whole
        self.left_out = size
        return method, header, b""

    def taken(self) -> int:
        """``left_out`` of the message that is being delivered."""
        size, self.left_out = self.left_out, 0
        return size
