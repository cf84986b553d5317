"""All of access in one place, on one journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.access import tokens
from shared.access.keys import Keys
from shared.access.known import KnownKeys
from shared.access.ledger import Ledger
from shared.access.login import Login
from shared.access.people import ELSEWHERE, People
from shared.access.rights import ROLES
from shared.access.sessions import Sessions
from shared.access.tables import Person
from shared.access.throttle import Rate, Throttle
from shared.access.visitor import Actor, Visitor, view_of
from shared.errors import AccessError, Throttled
from shared.events import Event
from shared.journal import Journal

MINUTE = 60.0


class Access:
    """Any thread; raises JournalUnavailable. ``announce`` is told of events to be published."""

    def __init__(
        self, journal: Journal, announce: Callable[[Sequence[Event]], None] | None = None
    ) -> None:
        self.ledger = Ledger(journal, announce) if announce else Ledger(journal)
        self.people = People(self.ledger)
        self.sessions = Sessions(self.ledger)
        self.keys = Keys(self.ledger)
        self._known = KnownKeys(self.keys.visitor)
        self._throttle = Throttle()
        self.login = Login(self.ledger, self.people, self.sessions, self._throttle)

    def by_cookie(self, secret: str) -> Visitor | None:
        """Who has the session of this cookie."""
        return self.sessions.visitor(tokens.hash_of(secret)) if secret else None

    def by_key(self, text: str) -> Visitor | None:
        """Who has this key. Raises Throttled when it was used too often."""
        return self._limited(self.keys.visitor(text))

    def at_door(self, text: str, *, waiting: bool = True) -> Visitor | None:
        """``by_key`` for who brings pictures, also while the database is away if the key was used
        lately. Without ``waiting`` it never blocks, and returns None when it would have to ask."""
        return self._limited(self._known.visitor(text) if waiting else self._known.fresh(text))

    def by_signature(self, token: str, path: str) -> Visitor | None:
        """Who signed the address of this picture. Raises Throttled as well."""
        return self._limited(self.keys.signer(token, path))

    def _limited(self, visitor: Visitor | None) -> Visitor | None:
        if visitor:
            rate = Rate(visitor.rate, MINUTE / visitor.rate)
            if wait := self._throttle.take((("key", visitor.name), rate)):
                raise Throttled(wait)
        return visitor

    def still(self, visitor: Visitor) -> bool:
        """Whether all is with this visitor as it was when they came."""
        if visitor.kind == "key":
            return self.keys.visitor(visitor.credential) == visitor
        if visitor.kind == "person" and visitor.credential:
            return self.sessions.visitor(visitor.credential) == visitor
        if visitor.kind == "proxy":
            return self.named(visitor.name, "", Actor(visitor.name)) == visitor
        return True

    def from_elsewhere(self, subject: str, name: str, role: str, actor: Actor) -> Person:
        """Who a provider says this is: known by ``subject``, or waiting for their first login
        under this name; a new person gets ``role``, if that is not empty. Raises AccessError."""
        if person := self.people.by_subject(subject):
            return person
        waiting = self.people.get(name)
        if waiting and not waiting.password and waiting.subject == ELSEWHERE:
            return self.people.bind(waiting, subject, actor)
        if waiting or not role:
            raise AccessError("there is no account for this login")
        return self.people.add(name, role, actor, subject=subject)

    def named(self, name: str, role: str, actor: Actor) -> Visitor | None:
        """Who a trusted proxy says this is; a new person gets ``role``, if that is not empty."""
        person = self.people.get(name)
        if person is None and role:
            person = self.people.add(name, role, actor, subject=ELSEWHERE)
        if person is None or person.role not in ROLES:
            return None
        return Visitor(
            name=person.name,
            rights=ROLES[person.role],
            view=view_of(person.organisation, person.cameras),
            organisation=person.organisation,
            kind="proxy",
            role=person.role,
        )
