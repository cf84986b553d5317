"""Threads that finish uploads, so that syncs and commits never hold up a server's thread.

A thread takes all uploads that wait, because those that are stored together share syncs, a
transaction and hand-overs. Few threads do: while one waits for the disk, the next gathers.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

MOST_AT_ONCE = 32
"""Uploads that one thread takes, so that the first need not wait long for the last."""
LONGEST_WAIT_S = 8.0
"""A sender whose upload waited longer than this is told to come again. A frozen database holds a
thread up for five seconds (shared/journal/group_commit.py)."""

U = TypeVar("U")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Job(Generic[U, R]):
    upload: U
    answer: Callable[[R], None]
    latest: float


class Gathering(Generic[U, R]):
    """Finishes the uploads of one door in so many threads."""

    def __init__(
        self,
        name: str,
        threads: int,
        finish: Callable[[Sequence[U]], Sequence[R]],
        *,
        late: Callable[[U], R],
        failed: Callable[[Exception], R],
    ) -> None:
        """``finish`` returns what is to be said of each. ``late`` forgets one that waited too long,
        and ``failed`` is for an error that ``finish`` did not expect; both say what to answer."""
        self._finish, self._late, self._failed = finish, late, failed
        self._jobs: queue.SimpleQueue[_Job[U, R] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-store-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, upload: U, answer: Callable[[R], None]) -> None:
        """Finish an upload; ``answer`` is called in a thread of this."""
        self._jobs.put(_Job(upload, answer, time.monotonic() + LONGEST_WAIT_S))

    def close(self, timeout_s: float) -> None:
        """Finish what was submitted, and wait for that so long."""
        for _ in self._threads:
            self._jobs.put(None)
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))

    def _work(self) -> None:
        while first := self._jobs.get():
            jobs = []
            now = time.monotonic()
            for job in (first, *self._waiting()):
                if now > job.latest:
                    job.answer(self._late(job.upload))
                else:
                    jobs.append(job)
            self._finish_all(jobs)

    def _waiting(self) -> list[_Job[U, R]]:
        jobs: list[_Job[U, R]] = []
        while len(jobs) < MOST_AT_ONCE - 1:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._jobs.put(None)  # the end, for this thread or another
                break
            jobs.append(job)
        return jobs

    def _finish_all(self, jobs: Sequence[_Job[U, R]]) -> None:
        try:
            answers = self._finish([job.upload for job in jobs])
        except Exception as error:  # noqa: BLE001  a thread of these must not end
            answers = [self._failed(error)] * len(jobs)
        for job, answer in zip(jobs, answers, strict=True):
            job.answer(answer)
