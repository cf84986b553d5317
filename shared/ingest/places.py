"""How many may be connected, and who makes room for whom.

A part is kept for addresses that an account has logged in from. Who is connected and has not logged
in after a moment makes room for who comes: silent connections and waiting guesses keep nobody out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from typing import Protocol

from shared.descriptors import share

log = logging.getLogger(__name__)

KEPT = 0.25
"""So much of all places is for addresses that are known."""
KNOWN_TIMES = 4
"""From an address that is known so many times more are let in as from others: many cameras may be
behind it, and somebody who takes places from them."""
YIELD_S = 1.0
"""A camera logs in faster, unless its password waits behind wrong ones."""

_FULL = "421 Too many connections. Come again later."
_FULL_FROM_THERE = "421 Too many connections from your address."
_MAKE_ROOM = "421 Others need this place. Come again, and log in at once."


class Visitor(Protocol):
    """Somebody who is connected. ``logged_in``: to an account; ``busy``: it can't be sent away."""

    @property
    def address(self) -> str: ...

    @property
    def connected_at(self) -> float: ...

    @property
    def logged_in(self) -> bool: ...

    @property
    def busy(self) -> bool: ...

    def send_away(self, text: str) -> None: ...


class Places:
    """Belongs to the thread of the server. ``knows`` says whether an account has logged in from an
    address; ``descriptors``: the part of the process's that is for this server, and how many each
    connection takes."""

    def __init__(
        self,
        server: str,
        most: int,
        most_of_address: int,
        knows: Callable[[str], bool],
        descriptors: tuple[float, int],
    ) -> None:
        self.total = share(*descriptors, most)
        if self.total < most:
            log.warning(
                "%d %s connections at once, not %d: this process may have few descriptors open "
                "(ulimit -n)",
                self.total,
                server,
                most,
                extra={"action": "few_places", "places": self.total},
            )
        self.of_strangers = self.total - max(int(self.total * KEPT), 1)
        self._of_address = most_of_address
        self._knows = knows

    def refusal(self, address: str, visitors: Collection[Visitor]) -> str:
        """What to tell somebody who connects from there and must go; empty: there is a place."""
        there = [each for each in visitors if each.address == address]
        known = self._knows(address)
        most = self._of_address * (KNOWN_TIMES if known else 1)
        if len(there) >= most and not _make_room(there):
            return _FULL_FROM_THERE
        strangers = [each for each in visitors if not (each.logged_in or self._knows(each.address))]
        full = len(visitors) >= self.total
        if not known:
            full = full or len(strangers) >= self.of_strangers
        if full and not _make_room(strangers):
            return _FULL
        return ""


def _make_room(visitors: Collection[Visitor]) -> bool:
    """Send the longest away that has not logged in; whether there was one."""
    latest = time.monotonic() - YIELD_S
    silent = [
        each
        for each in visitors
        if not (each.logged_in or each.busy) and each.connected_at < latest
    ]
    if not silent:
        return False
    min(silent, key=lambda each: each.connected_at).send_away(_MAKE_ROOM)
    return True
