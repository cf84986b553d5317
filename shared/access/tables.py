"""The tables of access: people, their sessions, keys, and two marks. Secrets only as hashes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.journal.owned import OwnedTable

OWNER = "access"


@dataclass(frozen=True, slots=True)
class Person:
    """``cameras`` are the names of those they see, with spaces between; None: all of their
    organisation. ``password`` is a hash, empty for who logs in elsewhere as ``subject``."""

    name: str
    organisation: str
    role: str
    cameras: str | None
    password: str
    subject: str
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """One login of a browser. It stays after its end, until it expires, because it tells which
    addresses and devices are known."""

    hash: str
    organisation: str
    person: str
    address: str
    device: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a program. ``cameras`` as for people. After a rotation the secret before is
    taken until ``previous_until``. ``rate``: requests a minute."""

    id: str
    organisation: str
    name: str
    hash: str
    previous: str
    previous_until: datetime | None
    scopes: str
    cameras: str | None
    rate: int
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Mark:
    """``first``: there was an administrator. ``revision``: changes with everything that may take
    a right away from somebody."""

    name: str
    organisation: str
    value: str


PEOPLE = OwnedTable(OWNER, "people", Person, ("name",))
SESSIONS = OwnedTable(OWNER, "sessions", Session, ("hash",))
KEYS = OwnedTable(OWNER, "keys", Key, ("id",))
MARKS = OwnedTable(OWNER, "marks", Mark, ("name",))
