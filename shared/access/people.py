"""People and what they may do. Every change is noted; none leaves an organisation unmanaged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from shared.access import passwords
from shared.access.ledger import Ledger
from shared.access.rights import of_role
from shared.access.tables import MARKS, PEOPLE, SESSIONS, Mark, Person
from shared.access.visitor import Actor, listed
from shared.errors import AccessError
from shared.events import now
from shared.journal.owned import Change

FIRST = "first"
UNKNOWN = "unknown name"
"""What is noted in place of a name that nobody has: a password may have been typed there."""
RESERVED = frozenset(
    ("terminal", "nobody", "somebody", "local", "scraper", "anybody", "open", UNKNOWN)
)
"""The audit log calls others so; it names keys ``key …``."""
LONGEST_NAME = 64
ADMINISTRATOR = "administrator"
ELSEWHERE = "elsewhere"
"""Subject of who is to log in elsewhere and did not yet."""


class People:
    """Any thread; raises JournalUnavailable, and AccessError for what can't be."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._rows = ledger.journal.owned(PEOPLE)

    def none_yet(self) -> bool:
        """Whether there never was an administrator."""
        return not self._ledger.has(FIRST)

    def get(self, name: str) -> Person | None:
        # No database need be asked for what it can't write down, such as a NUL.
        return self._rows.get(name) if name.isprintable() else None

    def all(self, organisation: str | None = None) -> list[Person]:
        """Those of an organisation by name, or of all."""
        return self._rows.all(**({} if organisation is None else {"organisation": organisation}))

    def by_subject(self, subject: str) -> Person | None:
        """Who logs in elsewhere as this."""
        found = self._rows.all(subject=subject) if subject else []
        return found[0] if found else None

    def add(
        self,
        name: str,
        role: str,
        actor: Actor,
        *,
        password: str = "",
        cameras: Iterable[str] | None = None,
        subject: str = "",
        first: bool = False,
    ) -> Person:
        """A new person in the organisation of the actor; one without password logs in elsewhere.
        ``first``: only if there never was an administrator."""
        name = _checked(name)
        present = now()
        person = Person(
            name=name,
            organisation=actor.organisation,
            role=role,
            cameras=listed(cameras),
            password=passwords.hashed(password, name) if password or not subject else "",
            subject=subject,
            created_at=present,
            changed_at=present,
        )
        _check_role(person)
        if self.get(name):
            raise AccessError(f"there is somebody called {name!r} already")
        changes = [PEOPLE.add(person), *_ends_first(person, only=first)]
        self._ledger.commit(changes, actor, "person_added", name, role)
        return person

    def set_password(self, person: Person, password: str, actor: Actor) -> Person:
        """Give them another password; their sessions are for the caller to end."""
        changed = replace(
            person, password=passwords.hashed(password, person.name), changed_at=now()
        )
        self._replace(person, changed, actor, "password_changed")
        return changed

    def set_role(
        self, person: Person, role: str, cameras: Iterable[str] | None, actor: Actor
    ) -> Person:
        """Give them another role and other cameras; open streams begin anew."""
        changed = replace(person, role=role, cameras=listed(cameras), changed_at=now())
        _check_role(changed)
        if role != ADMINISTRATOR:
            self._check_not_the_last(person)
        seen = "all cameras" if changed.cameras is None else changed.cameras or "no camera"
        self._replace(person, changed, actor, "person_changed", f"{role}, {seen}")
        return changed

    def bind(self, person: Person, subject: str, actor: Actor) -> Person:
        """From now on they are who logs in elsewhere as this."""
        changed = replace(person, subject=subject, changed_at=now())
        self._replace(person, changed, actor, "person_changed", "known to the provider")
        return changed

    def remove(self, person: Person, actor: Actor) -> None:
        """They can't log in any more, and what they had open ends."""
        self._check_not_the_last(person)
        theirs = self._ledger.journal.owned(SESSIONS).all(person=person.name)
        changes = [PEOPLE.remove(person), *map(SESSIONS.remove, theirs)]
        self._ledger.commit(changes, actor, "person_removed", person.name, takes_away=True)

    def _replace(
        self, was: Person, person: Person, actor: Actor, action: str, detail: str = ""
    ) -> None:
        changes = [PEOPLE.replace(was, person), *_ends_first(person)]
        self._ledger.commit(changes, actor, action, person.name, detail, takes_away=True)

    def _check_not_the_last(self, person: Person) -> None:
        others = (
            each.name
            for each in self.all(person.organisation)
            if each.role == ADMINISTRATOR and each.name != person.name
        )
        if person.role == ADMINISTRATOR and not any(others):
            raise AccessError(f"{person.name} is the last administrator: make another one first")


def _checked(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise AccessError(f"a name has 1 to {LONGEST_NAME} printable characters")
    if "/" in name or name in (".", ".."):
        raise AccessError(f"a name has no '/' and is not '.' or '..': {name!r} can't be one")
    if name.casefold() in RESERVED or name.casefold().startswith("key "):
        raise AccessError(f"the name {name!r} is reserved: choose another one")
    return name


def _ends_first(person: Person, *, only: bool = False) -> list[Change]:
    """The mark that there was an administrator; ``only``: which must not be there yet."""
    if person.role != ADMINISTRATOR:
        return []
    mark = Mark(FIRST, person.organisation, person.name)
    return [MARKS.add(mark) if only else MARKS.put(mark)]


def _check_role(person: Person) -> None:
    of_role(person.role)
    if person.role == ADMINISTRATOR and person.cameras is not None:
        raise AccessError("an administrator sees all cameras: choose another role, or all cameras")
