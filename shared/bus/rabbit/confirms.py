"""The published messages whose fate RabbitMQ has not told yet: how many, which, since when.

Confirms come out of order, and one may stand for all before it; a message that could not be
routed is returned first and confirmed nevertheless.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from shared.bus.broker import Message


@dataclass(slots=True)
class Sent:
    """A message on its way. ``returned`` says why it came back, if it did."""

    message: Message
    sent_at: float
    returned: str = ""


class Confirms:
    """At most ``size`` messages are under way; ``backlog`` more wait for room."""

    def __init__(self, size: int, backlog: int) -> None:
        self._size = size
        self._backlog = backlog
        self._waiting: deque[Message] = deque()
        self._sent: dict[int, Sent] = {}
        self._tag = 0

    def __len__(self) -> int:
        return len(self._sent) + len(self._waiting)

    def offer(self, message: Message) -> bool:
        """Queue a message; False when too many wait already."""
        if len(self._waiting) >= self._backlog:
            return False
        self._waiting.append(message)
        return True

    def next(self, now: float) -> Message | None:
        """The message to send now, if there is one and room for it; it counts as sent."""
        if not self._waiting or len(self._sent) >= self._size:
            return None
        message = self._waiting.popleft()
        self._tag += 1
        self._sent[self._tag] = Sent(message, now)
        return message

    def returned(self, event_id: str, queue: str, reason: str) -> None:
        """Remember that a message could not be routed; its confirm follows."""
        for sent in self._sent.values():
            message = sent.message
            if message.event_id == event_id and message.queue == queue and not sent.returned:
                sent.returned = reason
                return

    def answered(self, tag: int, *, multiple: bool) -> Iterable[Sent]:
        """The messages a confirm stands for; those it names twice, or that expired, are not."""
        if not multiple:
            sent = self._sent.pop(tag, None)
            return () if sent is None else (sent,)
        return [self._sent.pop(each) for each in list(self._sent) if each <= tag]

    def expired(self, before: float) -> Iterable[Sent]:
        """Take out what was sent before this time and has no answer."""
        late = []
        for tag, sent in self._sent.items():
            if sent.sent_at >= before:
                break
            late.append(tag)
        return [self._sent.pop(tag) for tag in late]

    def drain(self) -> Iterable[Message]:
        """Take out everything; tags begin anew, as they do on a new channel."""
        messages = [*(sent.message for sent in self._sent.values()), *self._waiting]
        self._sent.clear()
        self._waiting.clear()
        self._tag = 0
        return messages
