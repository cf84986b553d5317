"""The simulated cameras' check of HTTP Basic and Digest (RFC 7616, qop auth)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Literal

from services.simulator.demo import Account
from services.simulator.devices.device import Request

_FIELD = re.compile(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
MAX_USES = 50
"""Uses of one nonce before it is stale; a real camera's becomes stale with time."""


def basic_ok(header: str, account: Account) -> bool:
    """Whether this ``Authorization`` is the account's."""
    kind, _, pair = header.partition(" ")
    try:
        given = base64.b64decode(pair, validate=True)
    except binascii.Error:
        return False
    username, _, password = given.partition(b":")  # so that a name with a colon can't be sent
    wanted = (account.username.encode(), account.password.encode())
    return kind.lower() == "basic" and all(map(hmac.compare_digest, (username, password), wanted))


@dataclass(slots=True)
class DigestGuard:
    """Issues nonces and checks the answers; refuses replayed and stale ones."""

    account: Account
    realm: str = "Simulated camera"
    algorithm: Literal["MD5", "SHA-256"] = "MD5"
    _uses: dict[str, int] = field(default_factory=dict)

    def challenge(self, *, stale: bool = False) -> str:
        """The value of ``WWW-Authenticate``."""
        nonce = secrets.token_hex(16)
        if len(self._uses) > 1000:
            self._uses.clear()
        self._uses[nonce] = 0
        old = ", stale=true" if stale else ""
        challenge = f'Digest realm="{self.realm}", nonce="{nonce}", algorithm={self.algorithm}'
        return f'{challenge}, qop="auth"{old}'

    def refusal(self, request: Request) -> str:
        """The challenge for a request that is not let in; empty for one that is."""
        allowed, stale = self.check(request.authorization, request.method, request.uri)
        return "" if allowed else self.challenge(stale=stale)

    def check(self, header: str, method: str, uri: str) -> tuple[bool, bool]:
        """Whether this ``Authorization`` is right, and whether only its nonce is stale."""
        found = {name.lower(): quoted or bare for name, quoted, bare in _FIELD.findall(header)}
        if not header.lower().startswith("digest ") or found.get("uri") != uri:
            return False, False
        hashed = _HASHES[self.algorithm]
        first = hashed(f"{self.account.username}:{self.realm}:{self.account.password}")
        second = hashed(f"{method}:{uri}")
        middle = ":".join(found.get(name, "") for name in ("nonce", "nc", "cnonce", "qop"))
        right = hashed(f"{first}:{middle}:{second}") == found.get("response", "")
        username = re.sub(r"\\(.)", r"\1", found.get("username", ""))
        if not right or username != self.account.username:
            return False, False
        try:
            count = int(found.get("nc", ""), 16)
        except ValueError:
            return False, False
        used = self._uses.get(found["nonce"], MAX_USES)
        if count <= used or used >= MAX_USES:
            return False, True
        self._uses[found["nonce"]] = count
        return True, False


def _md5(text: str) -> str:
    # What the protocol prescribes.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_HASHES = {"MD5": _md5, "SHA-256": _sha256}
