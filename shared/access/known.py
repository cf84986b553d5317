"""Keys that were right a moment ago, so that a door asks the database for none of many pictures in
a row, and goes on letting its cameras in while the database is away."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

from shared.access import tokens
from shared.access.visitor import Visitor
from shared.errors import JournalUnavailable
from shared.events import now

FRESH_S = 0.8
"""So long nobody is asked again: a key that is revoked is of no use after a second."""
KEPT_S = timedelta(days=1).total_seconds()
"""So long a key is good while the database is away."""
RETRY_S = 2.0
"""So long a database that was away is not asked again."""
MOST = 10_000


@dataclass(frozen=True, slots=True)
class _Seen:
    visitor: Visitor
    at: float


class KnownKeys:
    """Any thread. ``ask`` looks a key up in the database. Texts of keys are kept as hashes."""

    def __init__(
        self,
        ask: Callable[[str], Visitor | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = Lock()
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._away_until = float("-inf")

    def fresh(self, text: str) -> Visitor | None:
        """Who has this key, if that is known without asking. Never blocks."""
        return self._remembered(text, FRESH_S)

    def visitor(self, text: str) -> Visitor | None:
        """Who has this key; None when it is wrong. Blocks. Raises JournalUnavailable when neither
        the database nor memory can tell."""
        if self._clock() >= self._away_until:
            try:
                visitor = self._ask(text)
            except JournalUnavailable:
                self._away_until = self._clock() + RETRY_S
            else:
                self._keep(text, visitor)
                return visitor
        if visitor := self._remembered(text, KEPT_S):
            return visitor
        raise JournalUnavailable("whether this key is right can't be looked up now")

    def _keep(self, text: str, visitor: Visitor | None) -> None:
        with self._lock:
            if visitor:
                self._seen[tokens.hash_of(text)] = _Seen(visitor, self._clock())
                self._seen.move_to_end(tokens.hash_of(text))
                if len(self._seen) > MOST:
                    self._seen.popitem(last=False)
            else:
                self._seen.pop(tokens.hash_of(text), None)

    def _remembered(self, text: str, for_s: float) -> Visitor | None:
        with self._lock:
            seen = self._seen.get(tokens.hash_of(text))
        if seen is None or self._clock() - seen.at > for_s:
            return None
        until = seen.visitor.until
        return None if until and until <= now() else seen.visitor
