"""Logins of a simulated Google: OAuth for people, keys for service accounts, tokens for calls."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from binascii import Error
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

from services.simulator.google import jwt
from services.simulator.google.clock import Clock
from services.simulator.google.file import Caller
from services.simulator.google.shelf import Shelf
from services.simulator.google.wire import Refusal

DRIVE = "https://www.googleapis.com/auth/drive"
FILE_ONLY = f"{DRIVE}.file"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
OLD_DEVICE = "http://oauth.net/grant_type/device/1.0"
CODE_LIFE = 600.0
DEVICE_LIFE = 1800.0


class Denied(Exception):
    """What the token endpoint refuses, by the word of OAuth."""

    def __init__(self, word: str, description: str = "Bad Request", status: int = 400) -> None:
        super().__init__(word)
        self.word, self.description, self.status = word, description, status


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token stands for; ``ends`` in the seconds of the clock."""

    email: str
    client: str
    scopes: tuple[str, ...]
    ends: float = float("inf")
    service: bool = False


@dataclass(slots=True)
class Device:
    """A login by the device flow that waits for a person."""

    code: str
    grant: Grant
    state: str = "authorization_pending"
    asked: float = 0.0


@dataclass(frozen=True, slots=True)
class Code:
    """A code on its way through a browser."""

    grant: Grant
    redirect: str
    challenge: str
    offline: bool


@dataclass(slots=True)
class Logins:
    """One thread at a time. ``clients`` are the programs and their secrets, ``services`` the public
    keys of service accounts; ``refresh_life`` is 7 days for programs that Google calls testing."""

    shelf: Shelf
    clock: Clock
    owner: str
    clients: dict[str, str]
    services: dict[str, tuple[int, int]] = field(default_factory=dict)
    access_life: float = 3600.0
    refresh_life: float = float("inf")
    interval: float = 5.0
    access: dict[str, Grant] = field(default_factory=dict)
    refresh: dict[str, Grant] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for token, grant in (self.shelf.word("refresh") or {}).items():
            grant["scopes"] = tuple(grant["scopes"])
            self.refresh[token] = Grant(**grant)

    def caller(self, authorization: str) -> Caller:
        """Who calls with this header. Raises Refusal."""
        kind, _, token = authorization.partition(" ")
        grant = self.access.get(token)
        if kind.lower() != "bearer" or not grant or grant.ends <= self.clock.now():
            raise Refusal(401, "authError", "Invalid Credentials")
        return Caller(grant.email, grant.client, frozenset(grant.scopes), grant.service)

    def token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """A token for a code, an older token, or a signed claim. Raises Denied."""
        kind = form.get("grant_type", "")
        if kind == JWT_BEARER:
            return self._issue(self._claimed(form.get("assertion", "")), keeps=False)
        client = self._client(form)
        if kind == "refresh_token":
            grant = self.refresh.get(form.get("refresh_token", ""))
            if not grant or grant.client != client or grant.ends <= self.clock.now():
                raise Denied("invalid_grant", "Token has been expired or revoked.")
            return self._issue(grant, keeps=False)
        if kind == "authorization_code":
            return self._by_code(form, client)
        if kind in (DEVICE, OLD_DEVICE):
            return self._by_device(form.get("device_code") or form.get("code", ""), client)
        raise Denied("unsupported_grant_type", f"Invalid grant_type: {kind[:50]}")

    def authorize(self, query: Mapping[str, str]) -> str:
        """Where a browser goes on to: back to the program, with a code. Raises Denied."""
        client, redirect = query.get("client_id", ""), query.get("redirect_uri", "")
        if client not in self.clients:
            raise Denied("invalid_client", "The OAuth client was not found.", 401)
        if urlsplit(redirect).hostname not in ("localhost", "127.0.0.1", "::1"):
            # Also what pages must not become: a way to anywhere else.
            raise Denied("redirect_uri_mismatch", "Only this machine is allowed.")
        code = f"4/{secrets.token_urlsafe(32)}"
        scopes = tuple(query.get("scope", "").split()) or (DRIVE,)
        grant = Grant(self.owner, client, scopes, self.clock.now() + CODE_LIFE)
        offline = query.get("access_type") == "offline"
        self.codes[code] = Code(grant, redirect, query.get("code_challenge", ""), offline)
        back = {"code": code, "scope": " ".join(scopes)}
        if "state" in query:
            back["state"] = query["state"]
        return f"{redirect}{'&' if urlsplit(redirect).query else '?'}{urlencode(back)}"

    def device(self, form: Mapping[str, str], base: str) -> dict[str, Any]:
        """Begin a login on another device. Raises Denied."""
        client = form.get("client_id", "")
        if client not in self.clients:
            raise Denied("invalid_client", "The OAuth client was not found.", 401)
        scopes = tuple(form.get("scope", "").split())
        if not set(scopes) <= {FILE_ONLY, f"{DRIVE}.appdata", "email", "openid", "profile"}:
            raise Denied("invalid_scope", "Invalid device flow scope: " + " ".join(scopes)[:100])
        code, told = secrets.token_urlsafe(32), secrets.token_hex(4).upper()
        grant = Grant(self.owner, client, scopes, self.clock.now() + DEVICE_LIFE)
        self.devices[code] = Device(f"{told[:4]}-{told[4:]}", grant)
        return {
            "device_code": code,
            "user_code": self.devices[code].code,
            "verification_url": f"{base}/device",
            "expires_in": int(DEVICE_LIFE),
            "interval": int(self.interval),
        }

    def answer_device(self, user_code: str, state: str = "approved") -> bool:
        """A person agrees, or says ``access_denied``; False for a code that nobody waits for."""
        waiting = [each for each in self.devices.values() if each.code == user_code.strip().upper()]
        for each in waiting:
            each.state = state
        return bool(waiting)

    def revoke(self, token: str | None = None) -> None:
        """End one token, or all that there are: a person took the program's access away."""
        for tokens in (self.access, self.refresh):
            for each in list(tokens) if token is None else [token]:
                tokens.pop(each, None)
        self._note()

    def grant(self, token: str, grant: Grant) -> None:
        """Let this refresh token be valid."""
        self.refresh[token] = grant
        self._note()

    def _note(self) -> None:
        kept = {token: asdict(grant) for token, grant in self.refresh.items()}
        self.shelf.note("refresh", kept)

    def _issue(self, grant: Grant, *, keeps: bool) -> dict[str, Any]:
        now = self.clock.now()
        self.access = {name: each for name, each in self.access.items() if each.ends > now}
        token = f"ya29.{secrets.token_urlsafe(24)}"
        ends = now + self.access_life
        self.access[token] = Grant(grant.email, grant.client, grant.scopes, ends, grant.service)
        given: dict[str, Any] = {
            "access_token": token,
            "expires_in": int(self.access_life),
            "scope": " ".join(grant.scopes),
            "token_type": "Bearer",
        }
        if keeps:
            given["refresh_token"] = f"1//{secrets.token_urlsafe(32)}"
            ends = now + self.refresh_life
            self.grant(given["refresh_token"], Grant(grant.email, grant.client, grant.scopes, ends))
        return given

    def _client(self, form: Mapping[str, str]) -> str:
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        known = self.clients.get(client)
        if known is None or not hmac.compare_digest(known.encode(), secret.encode()):
            raise Denied("invalid_client", "The OAuth client was not found.", 401)
        return client

    def _by_code(self, form: Mapping[str, str], client: str) -> dict[str, Any]:
        code = self.codes.pop(form.get("code", ""), None)
        if not code or code.grant.client != client or code.grant.ends <= self.clock.now():
            raise Denied("invalid_grant", "Malformed auth code.")
        if code.redirect != form.get("redirect_uri"):
            raise Denied("redirect_uri_mismatch")
        verifier = sha256(form.get("code_verifier", "").encode()).digest()
        if code.challenge and code.challenge != urlsafe_b64encode(verifier).decode().rstrip("="):
            raise Denied("invalid_grant", "Invalid code verifier.")
        return self._issue(code.grant, keeps=code.offline)

    def _by_device(self, code: str, client: str) -> dict[str, Any]:
        device, now = self.devices.get(code), self.clock.now()
        if not device or device.grant.client != client:
            raise Denied("invalid_grant", "Malformed device code.")
        if device.grant.ends <= now:
            raise Denied("expired_token")
        early = now - device.asked < self.interval
        device.asked = now
        if device.state == "access_denied":
            raise Denied("access_denied", status=403)
        if device.state != "approved":
            raise Denied("slow_down", status=403) if early else Denied(device.state, status=428)
        del self.devices[code]
        return self._issue(device.grant, keeps=True)

    def _claimed(self, assertion: str) -> Grant:
        try:
            claims, signed = jwt.read(assertion)
        except (ValueError, Error):
            raise Denied("invalid_grant", "Invalid JWT") from None
        issuer, now = str(claims.get("iss", "")), self.clock.now()
        key = self.services.get(issuer)
        if not key or not signed(key):
            raise Denied("invalid_grant", "Invalid JWT Signature.")
        ends, begins = claims.get("exp"), claims.get("iat")
        if (
            not isinstance(ends, int)
            or not isinstance(begins, int)
            or not begins - 300 < now < ends
        ):
            raise Denied("invalid_grant", "Invalid JWT: Token must be a short-lived token.")
        scopes = tuple(str(claims.get("scope", "")).split())
        subject = claims.get("sub")
        if subject and subject != issuer:
            return Grant(str(subject), issuer, scopes)
        return Grant(issuer, issuer, scopes, service=True)
