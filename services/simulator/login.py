"""The simulated cameras' check of HTTP Basic and Digest (RFC 7616, MD5, qop auth)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from services.simulator.demo import Account

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
    wanted = f"{account.username}:{account.password}".encode()
    return kind.lower() == "basic" and hmac.compare_digest(given, wanted)


@dataclass(slots=True)
class DigestGuard:
    """Issues nonces and checks the answers; refuses replayed and stale ones."""

    account: Account
    realm: str = "Simulated camera"
    _uses: dict[str, int] = field(default_factory=dict)

    def challenge(self, *, stale: bool = False) -> str:
        """The value of ``WWW-Authenticate``."""
        nonce = secrets.token_hex(16)
        if len(self._uses) > 1000:
            self._uses.clear()
        self._uses[nonce] = 0
        old = ", stale=true" if stale else ""
        return f'Digest realm="{self.realm}", nonce="{nonce}", algorithm=MD5, qop="auth"{old}'

    def check(self, header: str, method: str, uri: str) -> tuple[bool, bool]:
        """Whether this ``Authorization`` is right, and whether only its nonce is stale."""
        found = {name.lower(): quoted or bare for name, quoted, bare in _FIELD.findall(header)}
        if not header.lower().startswith("digest ") or found.get("uri") != uri:
            return False, False
        first = _md5(f"{self.account.username}:{self.realm}:{self.account.password}")
        second = _md5(f"{method}:{uri}")
        middle = ":".join(found.get(name, "") for name in ("nonce", "nc", "cnonce", "qop"))
        right = hmac.compare_digest(_md5(f"{first}:{middle}:{second}"), found.get("response", ""))
        if not right or found.get("username") != self.account.username:
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
