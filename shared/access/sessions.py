"""Logins of browsers: kept here, found by a cookie of which only the hash is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.access import tokens
from shared.access.ledger import Ledger
from shared.access.rights import ROLES
from shared.access.tables import PEOPLE, SESSIONS, Person, Session
from shared.access.visitor import Actor, Visitor, view_of
from shared.events import now
from shared.text import one_line

IDLE = timedelta(days=30)
"""A session that nobody uses ends after this, and every one a year after its login."""
LONGEST = timedelta(days=365)
NOTED_EVERY = timedelta(hours=1)
"""The use of a session is written down no more often."""


class Sessions:
    """Any thread; raises JournalUnavailable."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._rows = ledger.journal.owned(SESSIONS)
        self._people = ledger.journal.owned(PEOPLE)

    def begin(
        self, person: Person, actor: Actor, *, device: str = "", agent: str = "", how: str = ""
    ) -> str:
        """Log a person in; returns the secret for the cookie."""
        secret, present = tokens.fresh(), now()
        session = Session(
            hash=tokens.hash_of(secret),
            organisation=person.organisation,
            person=person.name,
            address=actor.address,
            device=tokens.hash_of(device) if device else "",
            agent=one_line(agent, 200),
            created_at=present,
            seen_at=present,
            expires_at=present + IDLE,
            ended_at=None,
        )
        old = [each for each in self._of(person.name) if each.expires_at < present]
        changes = [SESSIONS.add(session), *map(SESSIONS.remove, old)]
        self._ledger.commit(changes, actor, "login", person.name, how)
        return secret

    def visitor(self, hash_: str) -> Visitor | None:
        """Who has this session; None when it has ended, or its person is gone."""
        session, present = self._rows.get(hash_), now()
        if session is None or session.ended_at or session.expires_at < present:
            return None
        person = self._people.get(session.person)
        if person is None or person.role not in ROLES or person.created_at > session.created_at:
            return None
        if present - session.seen_at > NOTED_EVERY:
            expires = min(present + IDLE, session.created_at + LONGEST)
            used = replace(session, seen_at=present, expires_at=expires)
            self._ledger.touch(SESSIONS.replace(session, used))
        return Visitor(
            name=person.name,
            rights=ROLES[person.role],
            view=view_of(person.organisation, person.cameras),
            organisation=person.organisation,
            role=person.role,
            credential=hash_,
        )

    def end(self, hash_: str, actor: Actor) -> None:
        """Log out; what this session had open ends."""
        if session := self._rows.get(hash_):
            ended = SESSIONS.put(replace(session, ended_at=now()))
            self._ledger.commit([ended], actor, "logout", session.person, takes_away=True)

    def end_all(self, name: str, actor: Actor, *, but: str = "") -> int:
        """End all sessions of a person, but one; returns how many."""
        present = now()
        open_ = [each for each in self._of(name) if not each.ended_at and each.hash != but]
        changes = [SESSIONS.put(replace(each, ended_at=present)) for each in open_]
        if changes:
            self._ledger.commit(changes, actor, "sessions_ended", name, takes_away=True)
        return len(changes)

    def knows_device(self, name: str, device: str) -> bool:
        """Whether this person logged in before with this device."""
        hash_ = tokens.hash_of(device)
        return bool(device) and any(each.device == hash_ for each in self._of(name))

    def knows_address(self, name: str, address: str) -> bool:
        """Whether this person logged in before from there."""
        return any(each.address == address for each in self._of(name))

    def _of(self, name: str) -> list[Session]:
        return self._rows.all(person=name)
