"""Passwords as argon2 hashes, with bounded work: a few at a time, whoever asks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from shared.access.tokens import fresh
from shared.errors import AccessError

SHORTEST, LONGEST = 8, 256
AT_A_TIME = 2
"""Each takes 19 MB and about 70 ms of a core."""
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # as OWASP advises


@cache
def _workers() -> ThreadPoolExecutor:
    """The threads that hash. Each thread that ever did it keeps these 19 MB, and a server has
    dozens."""
    return ThreadPoolExecutor(AT_A_TIME, "password")


@cache
def _of_nobody() -> str:
    """Compared with when there is no such person, so that both answers take as long."""
    return _HASHER.hash(fresh())


def hashed(password: str, name: str = "") -> str:
    """The hash to keep. Raises AccessError for a password that is too short, too long, or the
    person's name."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccessError(f"a password has {SHORTEST} to {LONGEST} characters")
    if password.lower() == name.lower():
        raise AccessError("a password must not be the name")
    return _workers().submit(_HASHER.hash, password).result()


def fits(known: str, password: str) -> bool:
    """Whether the password is the one of this hash; an empty hash fits none, and takes as long."""
    if len(password) > LONGEST:
        return False
    return _workers().submit(_fits, known, password).result()


def _fits(known: str, password: str) -> bool:
    try:
        return _HASHER.verify(known or _of_nobody(), password) and bool(known)
    except (Argon2Error, InvalidHashError):
        return False
