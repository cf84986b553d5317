"""One open stream of events: what it wants, and a bounded queue of what it has not read yet."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from services.api.frames import event_frame
from shared.access import Visitor
from shared.events import Event

log = logging.getLogger(__name__)

CUT_S = 0.3
"""So long a stream that is cut has for its end."""
MOST_WAITING = 3_000
"""Frames a slow reader may be behind; more than a resume from memory can bring at once."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which events a stream wants; empty means all. A topic may end in ``.*``. Of these it gets
    what exists for its visitor."""

    visitor: Visitor
    topics: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()

    def wants(self, event: Event) -> bool:
        """Whether this event is among them."""
        topic = not self.topics or any(_fits(event.topic, each) for each in self.topics)
        camera = not self.cameras or event.subject in self.cameras
        return topic and camera and self.visitor.sees(event)


def _fits(topic: str, pattern: str) -> bool:
    return topic.startswith(pattern[:-1]) if pattern.endswith(".*") else topic == pattern


class Watcher:
    """Belongs to the server's event loop. A reader that falls too far behind is cut off: it can
    reconnect and resume, and costs no memory meanwhile."""

    def __init__(self, wish: Wish, abort: Callable[[], None]) -> None:
        self.wish = wish
        self._abort = abort
        self.skip: set[str] = set()
        """Events that it got before."""
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.ended = False
        self.checked = ""
        """The revision of access at which its visitor was last looked up."""

    def offer(self, event: Event) -> None:
        """Queue an event if the stream wants it and did not get it before."""
        if event.id not in self.skip and self.wish.wants(event):
            self.push(event_frame(event), must=True)

    def push(self, frame: bytes, *, must: bool) -> None:
        """Queue a frame. If the queue is full, it is dropped; if it ``must`` be sent, the stream
        ends."""
        if self.ended:
            return
        if self._frames.qsize() < MOST_WAITING:
            self._frames.put_nowait(frame)
        elif must:
            log.info("cut off a stream that reads too slowly", extra={"action": "stream_cut"})
            self.end()
            self._abort()

    def end(self) -> None:
        """Let the stream end after what is queued."""
        self.ended = True
        self._frames.put_nowait(None)

    def cut(self) -> None:
        """Let the stream end at once: what is queued is not for its visitor any more."""
        while not self._frames.empty():
            self._frames.get_nowait()
        self.end()
        asyncio.get_running_loop().call_later(CUT_S, self._abort_unless_over)

    def over(self) -> None:
        """The stream has ended; its connection may serve other requests by now."""
        self._abort = _nothing

    def _abort_unless_over(self) -> None:
        self._abort()

    async def frames(self) -> AsyncIterator[bytes]:
        """What to send, as it comes."""
        while (frame := await self._frames.get()) is not None:
            yield frame


def _nothing() -> None:
    return None
