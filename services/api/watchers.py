"""One open stream of events: what it wants, and a bounded queue of what it has not read yet."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass

from services.api.frames import event_frame
from shared.events import Event

log = logging.getLogger(__name__)

MOST_WAITING = 3_000
"""Frames a slow reader may be behind; more than a resume from memory can bring at once."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which events a stream wants; empty means all. A topic may end in ``.*``."""

    topics: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()

    def wants(self, event: Event) -> bool:
        """Whether this event is among them."""
        topic = not self.topics or any(_fits(event.topic, each) for each in self.topics)
        return topic and (not self.cameras or event.subject in self.cameras)


def _fits(topic: str, pattern: str) -> bool:
    return topic.startswith(pattern[:-1]) if pattern.endswith(".*") else topic == pattern


class Watcher:
    """Belongs to the server's event loop. A reader that falls too far behind is cut off: it can
    reconnect and resume, and costs no memory meanwhile."""

    def __init__(
        self, wish: Wish, abort: Callable[[], None], *, skip: Collection[str] = ()
    ) -> None:
        self._wish = wish
        self._abort = abort
        self._skip = skip
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._ended = False

    def offer(self, event: Event) -> None:
        """Queue an event if the stream wants it and did not get it before."""
        if event.id not in self._skip and self._wish.wants(event):
            self.push(event_frame(event), must=True)

    def push(self, frame: bytes, *, must: bool) -> None:
        """Queue a frame; ``must`` says that leaving it out would be a loss."""
        if self._ended:
            return
        if self._frames.qsize() < MOST_WAITING:
            self._frames.put_nowait(frame)
        elif must:
            log.info("cut off a stream that reads too slowly", extra={"action": "stream_cut"})
            self.end()
            self._abort()

    def end(self) -> None:
        """Let the stream end after what is queued."""
        self._ended = True
        self._frames.put_nowait(None)

    async def frames(self) -> AsyncIterator[bytes]:
        """What to send, as it comes."""
        while (frame := await self._frames.get()) is not None:
            yield frame
