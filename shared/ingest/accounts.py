"""Who may log in, and how often somebody may guess.

A wrong password makes the next answer to that address later, doubling up to half a minute. A
camera that has logged in before is not held up by what others do at its address: behind Docker or
NAT many cameras share one.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo

from cachetools import LRUCache

FREE_FAILURES = 3
"""So many wrong passwords of one address cost only the usual delay."""

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 30.0
FORGET_S = 900.0
MOST_ADDRESSES = 10_000


@dataclass(frozen=True, slots=True)
class Account:
    """One camera's login. ``active``: PORT and EPRT are allowed. ``zone``: of its clock."""

    camera: str
    username: str
    password: str
    active: bool = False
    zone: tzinfo | None = None


@dataclass(slots=True)
class _Record:
    failures: int = 0
    free_at: float = 0.0
    last: float = 0.0
    known: bool = False


class Accounts:
    """Checks passwords and counts failures. Belongs to the thread of the server. ``accounts`` gives
    those of the moment by user name."""

    def __init__(
        self,
        accounts: Callable[[], Mapping[str, Account]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._accounts = accounts
        self._clock = clock
        self._addresses: LRUCache[str, _Record] = LRUCache(MOST_ADDRESSES)
        self._pairs: LRUCache[tuple[str, str], _Record] = LRUCache(MOST_ADDRESSES)

    def __len__(self) -> int:
        return len(self._accounts())

    def wait_s(self, address: str, username: str) -> float:
        """How long the next check for this address has to wait; it reserves that check."""
        now = self._clock()
        record = self._of(address, username, now)
        if record.failures < FREE_FAILURES:
            return 0.0
        start = max(now, record.free_at)
        if start - now <= LONGEST_DELAY_S:
            record.free_at = start + _delay(record.failures)
        return start - now

    def check(self, address: str, username: str, password: str) -> Account | None:
        """The account when the password is right. An unknown user costs the same time."""
        account = self._accounts().get(username)
        wanted = account.password if account else "\x00 nobody"
        right = hmac.compare_digest(_digest(password), _digest(wanted))
        now = self._clock()
        if account and right:
            self._pairs[address, username] = _Record(last=now, known=True)
            return account
        record = self._of(address, username, now)
        record.failures += 1
        record.last = now
        return None

    def delay_s(self, address: str, username: str) -> float:
        """How late the answer to a wrong password comes."""
        return _delay(self._of(address, username, self._clock()).failures)

    def _of(self, address: str, username: str, now: float) -> _Record:
        """What counts for this attempt: a camera's own record once it has logged in from there
        and has not failed since; else that of the address."""
        pair = self._pairs.get((address, username))
        if pair and pair.known and pair.failures < FREE_FAILURES:
            return pair
        record = self._addresses.get(address)
        if record is None or now - record.last > FORGET_S:
            record = _Record(last=now)
            self._addresses[address] = record
        return record


def _delay(failures: int) -> float:
    return float(min(FIRST_DELAY_S * 2 ** max(failures - FREE_FAILURES, 0), LONGEST_DELAY_S))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
