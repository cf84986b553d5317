"""Threads that finish uploads, so that syncs and commits never hold up the server's thread."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable

from services.ftp.upload import Reply, Upload
from shared.failpoint import reach

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 5.0
"""A sender whose upload waited longer than this is told to come again."""

Answer = Callable[[Reply], None]

_BUSY = Reply(451, "Too busy to store it now. Send it again later.")
_BROKEN = Reply(451, "Internal error; the log of the server says more. Send it again later.")


class UploadExecutor:
    """Finishes uploads in so many threads."""

    def __init__(self, threads: int) -> None:
        self._uploads: queue.SimpleQueue[tuple[Upload, Answer, float] | None]
        self._uploads = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"ftp-store-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, upload: Upload, answer: Answer) -> None:
        """Finish an upload; ``answer`` is called with the reply, in a thread of the executor."""
        self._uploads.put((upload, answer, time.monotonic() + LONGEST_WAIT_S))

    def close(self, timeout_s: float) -> None:
        """Finish what was submitted, and wait for that so long."""
        for _ in self._threads:
            self._uploads.put(None)
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))

    def _work(self) -> None:
        while item := self._uploads.get():
            upload, answer, latest = item
            try:
                if time.monotonic() > latest:
                    upload.close()
                    reply = _BUSY
                else:
                    reply = upload.finish()
            except Exception:
                log.exception("an upload could not be finished", extra={"action": "upload_failed"})
                reply = _BROKEN
            reach("ftp.finished")
            answer(reply)
