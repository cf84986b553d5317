"""Threads that finish uploads, so that syncs and commits never hold up the server's thread.

A thread takes all uploads that wait, because those that are stored together share syncs, a
transaction and hand-overs. Few threads do: while one waits for the disk, the next gathers.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from services.ftp.upload import Reply, Upload, broken, finish
from shared.failpoint import reach
from shared.ingest.intake import Intake

MOST_AT_ONCE = 32
"""Uploads that one thread takes, so that the first need not wait long for the last."""
LONGEST_WAIT_S = 8.0
"""A sender whose upload waited longer than this is told to come again. A frozen database holds a
thread up for five seconds (shared/journal/group_commit.py)."""

Answer = Callable[[Reply], None]

_BUSY = Reply(451, "Too busy to store it now. Send it again later.")


@dataclass(frozen=True, slots=True)
class _Job:
    upload: Upload
    answer: Answer
    latest: float


class UploadExecutor:
    """Finishes uploads in so many threads."""

    def __init__(self, intake: Intake, threads: int) -> None:
        self._intake = intake
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"ftp-store-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, upload: Upload, answer: Answer) -> None:
        """Finish an upload; ``answer`` is called with the reply, in a thread of the executor."""
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
                    job.upload.close()
                    job.answer(_BUSY)
                else:
                    jobs.append(job)
            self._finish(jobs)

    def _waiting(self) -> list[_Job]:
        jobs: list[_Job] = []
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

    def _finish(self, jobs: list[_Job]) -> None:
        try:
            replies = finish(self._intake, [job.upload for job in jobs])
        except Exception as error:  # noqa: BLE001  a thread of the executor must not end
            replies = [broken(error)] * len(jobs)
        for job, reply in zip(jobs, replies, strict=True):
            reach("ftp.finished")
            job.answer(reply)
