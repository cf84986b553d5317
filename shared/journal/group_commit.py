"""Group commit: callers that arrive while a transaction runs share the next one.

A commit costs a sync of the disk; one sync can carry many pictures. One thread commits; callers
wait for it, but not for ever: a database that is frozen answers nobody, and a camera must be told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from sqlalchemy import Connection

from shared.errors import JournalUnavailable
from shared.failpoint import reach
from shared.journal.database import Conflict

MOST = 200
"""Jobs in one transaction at the most, so that the first need not wait long for the last."""
PATIENCE_S = 5.0
"""How long a caller waits for a database that does not answer."""
CLOSE_S = 1.0
"""How long closing waits for it; what is not committed then is as after a crash."""


@dataclass(slots=True)
class _Job:
    run: Callable[[Connection], None]
    quick: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None


class GroupCommit:
    """Runs jobs inside shared transactions. Any thread; the committing one starts when needed."""

    def __init__(
        self,
        writing: Callable[[], AbstractContextManager[Connection]],
        patience_s: float = PATIENCE_S,
        *,
        batch: Callable[[], AbstractContextManager[Connection]] | None = None,
    ) -> None:
        """``batch`` is the transaction of groups of which all jobs are quick."""
        self._writing = writing
        self._batch = batch or writing
        self._patience_s = patience_s
        self._queue: list[_Job] = []
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def run(self, job: Callable[[Connection], None], *, quick: bool = False) -> None:
        """Run a job in a transaction and return once it is committed; raises what it raised. A
        ``quick`` job asks for no result but by ``Prepared.fetch``, not even for a row count.

        A job may run twice: when another one of its group fails, each is tried on its own. Raises
        JournalUnavailable when there is no answer in time; then nobody knows what was committed.
        """
        mine = _Job(job, quick)
        with self._news:
            if self._closed:
                raise JournalUnavailable("the journal is closed")
            self._queue.append(mine)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
                self._thread.start()
            self._news.notify()
        if not mine.done.wait(self._patience_s):
            with self._news:
                if mine in self._queue:
                    self._queue.remove(mine)
            raise JournalUnavailable(f"the database did not answer in {self._patience_s:g} s")
        if mine.error:
            raise mine.error

    def close(self) -> None:
        """Commit what was given, wait a moment for that, and take no more."""
        with self._news:
            self._closed = True
            self._news.notify()
        if self._thread:
            self._thread.join(CLOSE_S)

    def _work(self) -> None:
        while group := self._next_group():
            self._commit(group)

    def _next_group(self) -> list[_Job]:
        with self._news:
            while not self._queue and not self._closed:
                self._news.wait()
            group, self._queue = self._queue[:MOST], self._queue[MOST:]
        return group

    def _commit(self, group: list[_Job]) -> None:
        try:
            quick = all(job.quick for job in group)
            with (self._batch if quick else self._writing)() as connection:
                for job in group:
                    job.run(connection)
                reach("journal.before_commit")
            reach("journal.after_commit")
        except JournalUnavailable as error:
            if isinstance(error, Conflict) and len(group) > 1:
                self._commit_each(group)
            else:
                _end(group, error)
        except Exception as error:  # noqa: BLE001  handed to the caller whose job it was
            if len(group) > 1:
                self._commit_each(group)
            else:
                group[0].error = error
                group[0].done.set()
        else:
            _end(group)

    def _commit_each(self, group: list[_Job]) -> None:
        for job in group:
            self._commit([job])


def _end(group: list[_Job], error: JournalUnavailable | None = None) -> None:
    for job in group:
        if error:
            # Each caller raises its own: an exception collects the traceback of where it passed.
            job.error = JournalUnavailable(*error.args)
            job.error.__cause__ = error
        job.done.set()
