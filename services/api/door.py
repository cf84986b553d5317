"""Who asks: the session of a browser, the key of a program, or what a named proxy says.

What a stranger can write into a request is believed of nobody but ``api.proxies``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from starlette.requests import HTTPConnection, Request

from services.api.problems import Problem
from shared.access import Access, Actor, Visitor
from shared.access.ledger import Changed
from shared.access.rights import ALL, ROLES, Right
from shared.access.tokens import PREFIX
from shared.access.visitor import NOBODY
from shared.errors import AccessError
from shared.events import ORGANISATION
from shared.journal.queries.view import EVERYTHING, View
from shared.settings.api import LOOPBACK, ApiSection

COOKIE = "snapbus_session"
DEVICE = "snapbus_device"
_UNKNOWN_KEY = "This key is unknown, revoked or over."
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via", "cf-connecting-ip")
OPEN = Visitor("anybody", ALL | {Right.INGEST}, EVERYTHING, kind="open", role="administrator")


class Networks:
    """Whether an address is in one of several networks."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ip_network(each, strict=False) for each in networks]

    def __contains__(self, address: object) -> bool:
        parsed = _parsed(str(address))
        return parsed is not None and any(parsed in each for each in self._networks)


class Door:
    """Any thread; raises JournalUnavailable."""

    def __init__(self, access: Access, settings: ApiSection) -> None:
        self.access = access
        self.settings = settings
        self._proxies = Networks(settings.proxies)
        self._scrapers = Networks(settings.metrics_from)
        self._loopback = Networks(LOOPBACK)

    def visitor(self, request: Request, token: str = "") -> Visitor:
        """Who asks; nobody without any credential. A wrong one is a Problem, too many a
        Throttled. ``token`` is a key in the address."""
        if self.settings.open:
            return OPEN
        if "." in token:
            signer = self.access.by_signature(token, request.url.path)
            return signer or _refused("This address is not signed so, or not any more.")
        if key := token or bearer(request):
            return self.access.by_key(key) or _refused(_UNKNOWN_KEY)
        if visitor := self._of_proxy(request):
            return visitor
        cookie = request.cookies.get(COOKIE, "")
        return self.access.by_cookie(cookie) or self._local(request) or NOBODY

    def sender(self, request: Request, *, waiting: bool = True) -> Visitor | None:
        """Who brings a picture, by a key in a header; in an open house others do as well. Problems
        as ``visitor``; without ``waiting`` it never blocks, and None is that it would have to."""
        key = bearer(request)
        if self.settings.open and not key.startswith(f"{PREFIX}_"):
            return OPEN
        if not key:
            return self.visitor(request) if waiting else None
        sender = self.access.at_door(key, waiting=waiting)
        return sender if sender or not waiting else _refused(_UNKNOWN_KEY)

    def _of_proxy(self, request: Request) -> Visitor | None:
        header = self.settings.login_header
        if not header or peer(request) not in self._proxies:
            return None
        name = _utf8(request.headers.get(header, "")).strip()
        if not name:
            return None
        actor = Actor(name, address=self.address(request))
        try:
            found = self.access.named(name, self.settings.login_role, actor)
        except Changed:
            raise
        except AccessError as error:
            return _refused(f"{error}.".capitalize())
        return found or _refused("The proxy names somebody who has no account here.")

    def _local(self, request: Request) -> Visitor | None:
        role = self.settings.local_role
        if not role or not self.is_local(request):
            return None
        return Visitor("local", ROLES[role], View(ORGANISATION), kind="local", role=role)

    def scraper(self, request: Request) -> Visitor | None:
        """A visitor who may read the state because of the network they ask from."""
        if self._direct(request) and peer(request) in self._scrapers:
            return replace(OPEN, name="scraper", kind="network")
        return None

    def is_local(self, request: Request) -> bool:
        """Whether this comes from the machine itself, through no proxy that says so, and by one
        of its own names."""
        host = (request.url.hostname or "").strip("[]")
        own = host == "localhost" or host in self._loopback
        return own and self._direct(request) and peer(request) in self._loopback

    def _direct(self, request: Request) -> bool:
        return not any(name in request.headers for name in _FORWARDED)

    def address(self, request: Request) -> str:
        """Where the request comes from: the last address that no proxy of ours has."""
        address = peer(request)
        told = request.headers.get("x-forwarded-for", "").split(",")
        while address in self._proxies and told:
            if _parsed(one := told.pop().strip()) is None:
                break
            address = one
        return address

    def is_secure(self, request: HTTPConnection) -> bool:
        """Whether the browser came by TLS."""
        if request.url.scheme == "https":
            return True
        told = request.headers.get("x-forwarded-proto", "")
        return told.lower() == "https" and peer(request) in self._proxies

    def actor(self, request: Request, visitor: Visitor) -> Actor:
        """Whom the audit log names."""
        return Actor(visitor.name, visitor.organisation, self.address(request))


def bearer(request: HTTPConnection) -> str:
    """The key in the header of a request; empty without one."""
    kind, _, credential = request.headers.get("authorization", "").partition(" ")
    return credential.strip() if kind.lower() == "bearer" else ""


def peer(request: HTTPConnection) -> str:
    """The address at the other end of the connection."""
    return request.client.host if request.client else ""


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _utf8(header: str) -> str:
    """What a proxy wrote; the server reads each byte as one letter."""
    written = header.encode("latin-1")
    try:
        return written.decode()
    except UnicodeDecodeError:
        return header


def _refused(detail: str) -> Visitor:
    raise Problem(401, "credential-refused", detail, {"WWW-Authenticate": "Bearer"})
