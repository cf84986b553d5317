"""Threads of a process: how a group of them is waited for."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

log = logging.getLogger(__name__)


def join(threads: Sequence[threading.Thread], deadline: float) -> None:
    """Wait until all that were started have ended, or the monotonic clock shows ``deadline``."""
    for thread in threads:
        if thread.ident is not None:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                log.warning("thread %s did not stop in time", thread.name)
