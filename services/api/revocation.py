"""Ends streams whose visitors may not have them any more, within a second."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import datetime
from functools import partial

from services.api.tail import Tail
from shared.access import Access, Visitor
from shared.errors import AccessError, JournalUnavailable
from shared.events import now

log = logging.getLogger(__name__)

LOOK_S = 0.3


async def end_revoked(tail: Tail, access: Access) -> None:
    """Look until cancelled: one small question while streams are open, and after a change one for
    each visitor. While the journal is away nothing is sent, so nothing is ended."""
    while True:
        if not tail.streams:
            tail.opened.clear()
            await tail.opened.wait()
        await asyncio.sleep(LOOK_S)
        with suppress(JournalUnavailable):
            await _look(tail, access)


async def _look(tail: Tail, access: Access) -> None:
    revision = await asyncio.to_thread(access.ledger.revision)
    present = now()
    answers: dict[Visitor, bool] = {}
    for watcher in tail.streams:
        visitor = watcher.wish.visitor
        if watcher.checked == revision and not _is_over(visitor, present):
            continue
        if visitor not in answers:
            answers[visitor] = await asyncio.to_thread(partial(_still, access, visitor))
        if not answers[visitor]:
            log.info("ended a stream of %s", visitor.name, extra={"action": "stream_revoked"})
            watcher.cut()
        watcher.checked = revision


def _is_over(visitor: Visitor, present: datetime) -> bool:
    return visitor.until is not None and visitor.until <= present


def _still(access: Access, visitor: Visitor) -> bool:
    try:
        return access.still(visitor)
    except AccessError:
        return False
