"""Who may log in, and how often somebody may guess.

The right password opens, however many wrong ones others send meanwhile: only wrong ones use up what
may be checked. From an address that an account has logged in from before, a few a second are
checked; from all others together, less than one. What is over that waits, and the newest is checked
first: a camera comes, waits for the next turn and is in, while a guesser's backlog grows old.
Nobody can be told from a guesser who shares the camera's address and tries more passwords a second
than are checked, without ever waiting for an answer: then the camera gets in by luck.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from cachetools import LRUCache

from shared.ingest.guesses import Guesses
from shared.settings.cameras import QuotaSection

ANSWER_S = 1.0
"""A wrong password is answered so late, and later the more there were: who waits for the answer
before the next guess leaves turns to the camera."""
LATEST_ANSWER_S = 30.0
FREE_WRONG = 3
FORGET_S = 900.0
LONGEST_WAIT_S = 20.0
"""An attempt that had no turn for so long is sent away unchecked."""
MOST_RECORDS = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many wrong passwords at once, and then so many a second."""

    at_once: float
    a_second: float


OF_KNOWN_PAIR = Rate(2, 3.0)
"""From an address that the account has logged in from."""
OF_ACCOUNT = Rate(1, 0.8)
"""From all other addresses together."""
OF_ADDRESS = Rate(10, 1.0)
"""Of one address, over all accounts that have not logged in from there."""


@dataclass(frozen=True, slots=True)
class Account:
    """One camera's login. ``active``: PORT and EPRT are allowed. ``zone``: of its clock. ``tls``:
    plain, optional or required."""

    camera: str
    username: str
    password: str
    active: bool = False
    zone: tzinfo | None = None
    tls: str = "optional"
    quota: QuotaSection = field(default_factory=QuotaSection)


class Denied(enum.Enum):
    """Why somebody is not let in."""

    WRONG = "no such user, or not this password"
    LATE = "so many wrong passwords came that this one was not checked"


@dataclass(eq=False, slots=True)
class Attempt:
    """A name and a password that somebody sent. ``decided`` is called once, perhaps within
    ``submit``."""

    address: str
    username: str
    password: str = field(repr=False)
    decided: Callable[[Account | Denied], None] = field(repr=False)
    at: float = 0.0
    answer_s: float = ANSWER_S
    """How late it is to be told that it is wrong."""


class _Allowance:
    """What is left of a rate, and how many were wrong lately."""

    __slots__ = ("_at", "_left", "_rate", "_wrong", "_wrong_at")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate, self._left, self._at = rate, rate.at_once, now
        self._wrong, self._wrong_at = 0, now

    def left(self, now: float) -> bool:
        gained = (now - self._at) * self._rate.a_second
        self._left, self._at = min(self._left + gained, self._rate.at_once), now
        return self._left >= 1

    def take(self, now: float) -> float:
        """One was wrong; how late that is to be answered."""
        self._left -= 1
        self._wrong = self._wrong + 1 if now - self._wrong_at < FORGET_S else 1
        self._wrong_at = now
        doubled = min(max(self._wrong - FREE_WRONG, 0), 10)
        return float(min(ANSWER_S * 2**doubled, LATEST_ANSWER_S))


class Accounts:
    """Checks passwords. Belongs to the thread of the server. ``accounts`` gives those of the moment
    by user name."""

    def __init__(
        self,
        accounts: Callable[[], Mapping[str, Account]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.guesses = Guesses(clock)
        self.logged_in: Callable[[str, str], None] = lambda address, username: None
        """Called for each right password."""
        self._accounts = accounts
        self._clock = clock
        self._known: LRUCache[tuple[str, str], _Allowance] = LRUCache(MOST_RECORDS)
        self._known_addresses: LRUCache[str, bool] = LRUCache(MOST_RECORDS)
        self._of_account: dict[str, _Allowance] = {}
        self._of_nobody: LRUCache[str, _Allowance] = LRUCache(MOST_RECORDS)
        self._of_address: LRUCache[str, _Allowance] = LRUCache(MOST_RECORDS)
        self._waiting: dict[str, dict[Attempt, None]] = {}

    def __len__(self) -> int:
        return len(self._accounts())

    def tls_of(self, username: str) -> str:
        """Whether this account wants TLS. Of one that is not there is said what most say, so that
        nobody learns who is."""
        accounts = self._accounts()
        if account := accounts.get(username):
            return account.tls
        wants = Counter(each.tls for each in accounts.values())
        return wants.most_common(1)[0][0] if wants else "optional"

    @property
    def waiting(self) -> int:
        """Attempts that have not been decided."""
        return sum(map(len, self._waiting.values()))

    def knows(self, address: str) -> bool:
        """Whether an account has logged in from there."""
        return address in self._known_addresses

    def remember(self, address: str, username: str) -> None:
        """This account has logged in from there; one that is no more is forgotten."""
        if username not in self._accounts():
            return
        if (address, username) not in self._known:
            self._known[address, username] = _Allowance(OF_KNOWN_PAIR, self._clock())
        self._known_addresses[address] = True

    def submit(self, attempt: Attempt) -> None:
        """Decide now, or when its turn comes: see ``pump``."""
        attempt.at = self._clock()
        self._waiting.setdefault(attempt.username, {})[attempt] = None
        self._try(attempt)

    def withdraw(self, attempt: Attempt) -> None:
        """It is not wanted any more."""
        queue = self._waiting.get(attempt.username, {})
        queue.pop(attempt, None)
        if not queue:
            self._waiting.pop(attempt.username, None)

    def pump(self) -> None:
        """Decide those whose turn has come; to be called a few times a second while some wait."""
        too_old = self._clock() - LONGEST_WAIT_S
        for username in list(self._waiting):
            for attempt in reversed(list(self._waiting.get(username, ()))):
                if attempt.at < too_old:
                    self.withdraw(attempt)
                    attempt.decided(Denied.LATE)
                elif attempt in self._waiting.get(username, ()):  # not withdrawn meanwhile
                    self._try(attempt)

    def _try(self, attempt: Attempt) -> None:
        allowances, now = self._allowances(attempt), self._clock()
        if all([each.left(now) for each in allowances]):
            self.withdraw(attempt)
            self._check(attempt, allowances)

    def _check(self, attempt: Attempt, allowances: list[_Allowance]) -> None:
        account = self._accounts().get(attempt.username)
        wanted = account.password if account else "\x00 nobody"
        right = hmac.compare_digest(_digest(attempt.password), _digest(wanted))
        if account and right:
            self.remember(attempt.address, attempt.username)
            self.logged_in(attempt.address, attempt.username)
            attempt.decided(account)
            return
        attempt.answer_s = max(each.take(self._clock()) for each in allowances)
        if account:
            self.guesses.note(account.camera, attempt.address)
        attempt.decided(Denied.WRONG)

    def _allowances(self, attempt: Attempt) -> list[_Allowance]:
        """What a wrong password would be taken from. Names that nobody has are answered alike, but
        can't push out what is remembered of those that somebody has."""
        pair = self._known.get((attempt.address, attempt.username))
        if pair:
            return [pair]
        now, name = self._clock(), attempt.username
        records = self._of_account if name in self._accounts() else self._of_nobody
        if name not in records:
            records[name] = _Allowance(OF_ACCOUNT, now)
        if attempt.address not in self._of_address:
            self._of_address[attempt.address] = _Allowance(OF_ADDRESS, now)
        return [records[name], self._of_address[attempt.address]]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
