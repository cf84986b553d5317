"""Follows the journal for all watchers, with one query at a time.

PostgreSQL commits out of order, so skipped places in the journal are read again until they are
filled or given up (an insert that did nothing leaves one empty).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread

from services.api.frames import PING_EVERY_BEATS, comment, event_frame, hello, ping
from services.api.ring import Ring
from services.api.watchers import Watcher, Wish
from shared.access import Visitor
from shared.backoff import pause_s
from shared.errors import JournalUnavailable
from shared.journal.queries.events import Recorded
from shared.journal.queries.snapshots import Reader

log = logging.getLogger(__name__)

POLL_S, IDLE_POLL_S = 0.2, 2.0
"""How often the journal is read: while somebody watches, and while nobody does."""
LONGEST_RETRY_S = 5.0
BEAT_S = 15.0
PAGE = 500
RING = 2_000
"""Events kept in memory, in the order they were sent: from there a reconnect resumes exactly."""
GAP_S = 10.0
WIDEST_GAP = 1_000
OVERLAP = 100
"""A resume from before the ring reads so many earlier places, which may have been filled later."""

START = "start"
"""Stands for the place before the first event of all."""

T = TypeVar("T")


class Tail:
    """The shared tail. Belongs to the server's event loop; ``observe`` is told of each event."""

    def __init__(self, read: Reader, observe: Callable[[Recorded, bool], None]) -> None:
        self._read = read
        self._observe = observe
        self._ring = Ring(RING)
        self._seq: int | None = None
        self._missing: dict[int, float] = {}
        self._watchers: set[Watcher] = set()
        self._streams: set[Watcher] = set()
        self._one_at_a_time = anyio.CapacityLimiter(1)
        self._started = asyncio.Event()
        self._came = asyncio.Event()
        self.opened = asyncio.Event()
        """Set when a stream opens; for one who waits for that, and clears it."""
        self._ended = False
        self.is_behind = False

    @property
    def watchers(self) -> int:
        return len(self._watchers)

    @property
    def streams(self) -> tuple[Watcher, ...]:
        """All that are open; also those that still catch up."""
        return tuple(self._streams)

    async def run(self) -> None:
        """Follow the journal until cancelled."""
        try:
            await self._follow_journal()
        finally:
            self.is_behind = True

    async def _follow_journal(self) -> None:
        failures = 0
        while True:
            wait_s = POLL_S
            try:
                if self._seq is None:
                    await self._start()
                while await self._step():
                    pass
            except JournalUnavailable as error:
                if not self.is_behind:
                    log.warning("events wait: %s", error, extra={"action": "tail_behind"})
                self.is_behind, failures = True, failures + 1
                wait_s = pause_s(failures, 2 * POLL_S, LONGEST_RETRY_S)
            else:
                if self.is_behind:
                    log.info("events flow again", extra={"action": "tail_caught_up"})
                self.is_behind, failures = False, 0
            await self._pause(wait_s)

    async def _pause(self, pause: float) -> None:
        """Wait, without watchers longer than ``pause``, but only until one comes."""
        if self._watchers:
            await asyncio.sleep(pause)
            return
        self._came.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(pause, IDLE_POLL_S)):
                await self._came.wait()

    async def beat(self) -> None:
        """Keep quiet connections alive until cancelled; one clock for all of them."""
        beats = 0
        while True:
            await asyncio.sleep(BEAT_S)
            beats += 1
            frame = ping() if beats % PING_EVERY_BEATS == 0 else comment("still here")
            for watcher in tuple(self._watchers):
                watcher.push(frame, must=False)

    def end(self) -> None:
        """End all streams; the server is closing."""
        self._ended = True
        for watcher in self.streams:
            watcher.end()

    async def _start(self) -> None:
        latest = await self._ask(lambda: self._read.latest_events(PAGE))
        self._seq = latest[-1].seq - 1 if latest else 0
        self._take(latest[::-1], fresh=False)
        self._started.set()

    async def _step(self) -> bool:
        """Read what is new; says whether there may be more at once."""
        after, missing = self._seq or 0, list(self._missing)
        late = await self._ask(lambda: self._read.events_at(missing)) if missing else []
        new = await self._ask(lambda: self._read.events_after(after, PAGE))
        for each in late:
            self._missing.pop(each.seq, None)
        self._take([*late, *new], fresh=True)
        deadline = time.monotonic() - GAP_S
        self._missing = {seq: since for seq, since in self._missing.items() if since > deadline}
        return len(new) == PAGE

    def _take(self, recorded: Sequence[Recorded], *, fresh: bool) -> None:
        for each in recorded:
            newest = self._seq or 0
            if each.seq > newest:
                skipped = range(max(newest + 1, each.seq - WIDEST_GAP), each.seq)
                self._missing |= dict.fromkeys(skipped, time.monotonic())
                self._seq = each.seq
            self._ring.add(each)
            self._observe(each, fresh)
            if fresh:
                for watcher in tuple(self._watchers):
                    watcher.offer(each.event)

    async def started(self, patience_s: float = 2.0) -> None:
        """Return once streams can begin. Raises JournalUnavailable."""
        try:
            async with asyncio.timeout(patience_s):
                await self._started.wait()
        except TimeoutError:
            raise JournalUnavailable("the journal was not read yet") from None

    async def follow(
        self, wish: Wish, last_id: str, abort: Callable[[], None], version: str = ""
    ) -> AsyncGenerator[bytes, None]:
        """The frames of one stream: a greeting, what came after ``last_id``, then what happens."""
        watcher = Watcher(wish, abort)
        self._streams.add(watcher)
        self.opened.set()
        try:
            async for frame in self._frames(watcher, last_id, version):
                yield frame
        finally:
            watcher.over()
            self._streams.discard(watcher)
            self._watchers.discard(watcher)

    async def _frames(self, watcher: Watcher, last_id: str, version: str) -> AsyncIterator[bytes]:
        try:
            place = last_id or await self._place(watcher.wish.visitor)
        except JournalUnavailable:
            return
        yield hello(place, version)
        if last_id and not self._ring.remembers(last_id):
            try:
                async for frame in self._catch_up(watcher, last_id):
                    yield frame
            except JournalUnavailable:
                return  # the client comes again and resumes from what it got
            if not watcher.skip:
                place = await self._place(watcher.wish.visitor)
                yield hello(place, version, lost=True)
        # No await from here to the first frame: nothing can slip in between.
        for each in self._ring.after(place):
            watcher.offer(each.event)
        self._watchers.add(watcher)
        self._came.set()
        if self._ended:
            watcher.end()
        async for frame in watcher.frames():
            yield frame

    async def _catch_up(self, watcher: Watcher, last_id: str) -> AsyncIterator[bytes]:
        """From the journal, up to its end; ``watcher.skip`` collects what was read."""
        last = await self._ask(partial(self._read.event, last_id))
        if last is None and last_id != START:
            return
        watcher.skip.add(last_id)
        after = max(0, last.seq - OVERLAP) if last else 0
        while True:
            page = await self._ask(partial(self._read.events_after, after, PAGE))
            for each in page:
                if watcher.ended:
                    return
                if each.event.id in watcher.skip or (last and _surely_before(each, last)):
                    continue
                watcher.skip.add(each.event.id)
                if watcher.wish.wants(each.event):
                    yield event_frame(each.event)
            if len(page) < PAGE:
                return
            after = page[-1].seq

    async def _place(self, visitor: Visitor) -> str:
        """The id of the newest event that exists for a visitor: not even an id tells of others."""
        if seen := self._ring.newest(visitor):
            return seen
        if not self._ring:
            return START
        read = self._read.within(visitor.view)
        found = await self._ask(lambda: read.latest_events(1))
        return found[0].event.id if found else START

    async def _ask(self, question: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(question, limiter=self._one_at_a_time)


def _surely_before(each: Recorded, last: Recorded) -> bool:
    """Whether an event was there long before another, so that whoever got that one got it too."""
    age = (last.recorded_at - each.recorded_at).total_seconds()
    return each.seq < last.seq and age > GAP_S
