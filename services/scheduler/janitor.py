"""Removes the partial files of uploads whose process was killed."""

from __future__ import annotations

import logging

from shared.store import Store

log = logging.getLogger(__name__)


class Janitor:
    """Removes ``.part`` files that are an hour old, and nothing else: a whole picture without a
    snapshot may be all that is left after an old database was restored, so only a person removes
    it, with ``doctor``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self) -> None:
        """Raises OSError."""
        if swept := self._store.sweep():
            log.info("removed %d partial uploads", swept, extra={"action": "swept"})
