"""Logging in: wrong passwords are slowed, whoever was here before is not.

A device or address from which a person logged in before has tries of its own. All others share
those of the name, so that many addresses together guess no faster than one; and an address has
only so many for all names, but for the devices that are known.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Hashable

from shared.access import passwords, tokens
from shared.access.ledger import Ledger
from shared.access.people import UNKNOWN, People
from shared.access.sessions import Sessions
from shared.access.tables import Person
from shared.access.throttle import Rate, Throttle
from shared.access.visitor import Actor
from shared.errors import AccessError, Throttled

log = logging.getLogger(__name__)

Bucket = tuple[tuple[str, ...], Rate]

KNOWN = Rate(5, 2.0)
NAME = Rate(5, 1.1)
ADDRESS = Rate(10, 2.0)
TOLD = Rate(1, 60.0)
"""How often an attack on one name is told."""
NOTED = Rate(60, 2.0)
"""How often refusals are noted: of one name from one address, and of all names that nobody has.
Who guesses at many names must not fill the journal, nor hide who guesses at one."""


class Login:
    """Any thread; raises JournalUnavailable."""

    def __init__(self, ledger: Ledger, people: People, sessions: Sessions, throttle: Throttle):
        self._ledger = ledger
        self._people = people
        self._sessions = sessions
        self._throttle = throttle
        self.code = tokens.code()
        """With it the first account can be made from anywhere."""

    def person(self, name: str, password: str, address: str, device: str = "") -> Person:
        """Who logs in so. Raises AccessError, which does not say what was wrong, or Throttled."""
        name = name.strip()
        person = self._people.get(name)
        actor = Actor(name, person.organisation, address) if person else _unknown(address)
        bucket = (
            self._bucket(name, address, device) if name.isprintable() else (("name", name), NAME)
        )
        tried = self._try(bucket, actor)
        if not passwords.fits(person.password if person else "", password) or person is None:
            self._note(actor, "login_refused")
            raise AccessError("the name or the password is wrong")
        for each in tried:
            self._throttle.give_back(each)
        if bucket[1] == KNOWN:
            self._throttle.refill(bucket[0])
        return person

    def _bucket(self, name: str, address: str, device: str) -> Bucket:
        """The tries of who comes so. A device that nobody knows may be invented: it counts for
        nothing."""
        if self._sessions.knows_device(name, device):
            return ("device", name, tokens.hash_of(device)), KNOWN
        if self._sessions.knows_address(name, address):
            return ("known", name, network(address)), KNOWN
        return ("name", name), NAME

    def first(self, code: str, address: str, *, trusted: bool) -> None:
        """Raises AccessError unless the first account may be made from there: with the code, or
        without by who is ``trusted`` to be at this machine."""
        if not self._people.none_yet():
            raise AccessError("there is an administrator already: log in")
        if trusted:
            return
        self._try((("code",), NAME), Actor("nobody", address=address))
        if not tokens.same(tokens.hash_of(self.code), tokens.code_of(code)):
            raise AccessError("this is not the code that the log of the API shows")

    def _try(self, bucket: Bucket, actor: Actor) -> list[Hashable]:
        """Take a try; returns what was taken beside the bucket."""
        by_device = bucket[0][0] == "device"
        also: list[Bucket] = [] if by_device else [(("address", network(actor.address)), ADDRESS)]
        wait = self._throttle.take(bucket, *also)
        if wait:
            if not self._throttle.take((("told", bucket[0]), TOLD)):
                self._note(actor, "login_throttled")
            raise Throttled(wait)
        return [name for name, _ in also]

    def _note(self, actor: Actor, action: str) -> None:
        mine = () if actor.who == UNKNOWN else (actor.who, network(actor.address))
        if not self._throttle.take((("noted", *mine), NOTED)):
            log.warning(
                "%s: %s from %s", action, actor.who, actor.address, extra={"action": action}
            )
            self._ledger.commit([], actor, action, actor.who)


def _unknown(address: str) -> Actor:
    return Actor(UNKNOWN, address=address)


def network(address: str) -> str:
    """What counts as one address: of IPv6 the part that a provider gives to one customer."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))
