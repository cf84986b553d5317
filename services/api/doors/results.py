"""What became of a picture that was brought, for who waits for it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from services.api.problems import Problem
from services.api.routes.events import check_room
from services.api.tail import Tail
from services.api.watchers import Wish
from shared.access import Visitor
from shared.errors import JournalUnavailable
from shared.events import SnapshotAnalyzed, SnapshotRejected
from shared.journal.queries.snapshots import Reader, Snapshot

_ENDS = (SnapshotAnalyzed.topic, SnapshotRejected.topic)


class Results:
    """Belongs to the event loop. ``analyzer``: whose answer is waited for."""

    def __init__(self, read: Reader, tail: Tail, analyzer: str) -> None:
        self._read = read
        self._tail = tail
        self._analyzer = analyzer

    async def wait(self, visitor: Visitor, snapshot_id: str, camera: str, seconds: float) -> Any:
        """The result, as ``of``, as soon as there is one; None when there was none in that time, or
        the server stops: the picture is safe. Raises Problem as ``of`` does."""
        try:
            check_room(self._tail, visitor)
            async with asyncio.timeout(seconds):
                await self._tail.started()
                wish = Wish(visitor, _ENDS, (camera,))
                async with aclosing(self._tail.follow(wish, "", lambda: None)) as frames:
                    async for _frame in frames:  # the first is a greeting, and then news
                        if result := await run_in_threadpool(self.of, visitor, snapshot_id):
                            return result
        except (TimeoutError, JournalUnavailable, asyncio.CancelledError):
            pass
        except Problem as problem:
            if problem.kind not in ("too-many-streams", "no-such-snapshot"):
                raise  # one that waits in the spool is not in the journal yet
        return None

    def of(self, visitor: Visitor, snapshot_id: str) -> dict[str, Any] | None:
        """The result of a snapshot; None while there is none. Raises Problem when there is no such
        snapshot, or no sound one; JournalUnavailable. Blocks."""
        found = self._read.within(visitor.view).snapshot(snapshot_id)
        if found is None:
            raise Problem(404, "no-such-snapshot", "There is no snapshot with this id.")
        if found.state == "quarantined":
            raise Problem(422, "unsound-picture", "This file does not decode as a picture.")
        data = next((e.data for e in found.analyses if e.analyzer == self._analyzer), None)
        return None if data is None else _result(found, data)


def _result(snapshot: Snapshot, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "timestamp": snapshot.captured_at.isoformat(),
        "filename": snapshot.name,
        "analysis": _words(data),
        "id": snapshot.id,
        "camera": snapshot.camera,
        "detections": data.get("detections", []),
    }


def _words(data: dict[str, Any]) -> str:
    try:
        return SnapshotAnalyzed.model_validate(data).words
    except ValidationError:  # another program may have put this event on the bus
        return "the result can't be read"
