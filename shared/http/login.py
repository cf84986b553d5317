"""Authorisation by Basic (RFC 7617) or Digest (RFC 7616), as the server asks for it.

Digest covers MD5 and SHA-256, with and without -sess, qop "auth" or none. ``Login`` remembers the
last challenge, so that a server sends one once and not with every request.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Scheme = Literal["auto", "none", "basic", "digest"]
Hasher = Callable[[str], str]


def _md5(text: str) -> str:
    # What the protocol prescribes; no secret depends on it being collision-free.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_HASHERS: Mapping[str, Hasher] = {"MD5": _md5, "SHA-256": _sha256}


@dataclass(slots=True)
class Digest:
    """One Digest challenge and how often it has been answered."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: str = ""
    opaque: str | None = None
    count: int = 0

    def header(self, username: str, password: str, method: str, uri: str, cnonce: str = "") -> str:
        """The value of ``Authorization`` for the next request."""
        self.count += 1
        cnonce = cnonce or secrets.token_hex(8)
        count = f"{self.count:08x}"
        name = self.algorithm.upper()
        hashed = _HASHERS[name.removesuffix("-SESS")]
        first = hashed(f"{username}:{self.realm}:{password}")
        if name.endswith("-SESS"):
            first = hashed(f"{first}:{self.nonce}:{cnonce}")
        second = hashed(f"{method}:{uri}")
        middle = f"{self.nonce}:{count}:{cnonce}:auth" if self.qop else self.nonce
        fields = {
            "username": username,
            "realm": self.realm,
            "nonce": self.nonce,
            "uri": uri,
            "response": hashed(f"{first}:{middle}:{second}"),
        }
        text = ", ".join(f'{key}="{_escaped(value)}"' for key, value in fields.items())
        text += f", algorithm={self.algorithm}"
        if self.opaque is not None:
            text += f', opaque="{_escaped(self.opaque)}"'
        if self.qop:
            text += f', qop=auth, nc={count}, cnonce="{cnonce}"'
        return f"Digest {text}"


class Login:
    """User and password for one server. One thread at a time."""

    def __init__(self, username: str, password: str, scheme: Scheme = "auto") -> None:
        self._username = username
        self._password = password
        self._scheme = scheme
        self._answer: Literal["none", "basic"] | Digest = "basic" if scheme == "basic" else "none"

    def header(self, method: str, uri: str) -> str | None:
        """``Authorization`` for a request, as the last challenge wants it; None without one."""
        if isinstance(self._answer, Digest):
            return self._answer.header(self._username, self._password, method, uri)
        if self._answer == "basic":
            pair = f"{self._username}:{self._password}".encode()
            return f"Basic {base64.b64encode(pair).decode()}"
        return None

    @property
    def used(self) -> str:
        """How requests are authorised now: ``Basic``, ``Digest``, or empty for not at all."""
        if isinstance(self._answer, Digest):
            return "Digest"
        return "Basic" if self._answer == "basic" else ""

    def challenged(self, offers: str) -> bool:
        """Take the ``WWW-Authenticate`` of a 401; returns whether a second request makes sense.

        Digest is preferred where both are offered. A password that was refused is not sent again,
        unless the server says that only its nonce was old: some servers lock the account.
        """
        if not self._username or self._scheme == "none":
            return False
        digest = _digest_of(offers) if self._scheme in ("auto", "digest") else None
        if digest:
            challenge, stale = digest
            known = isinstance(self._answer, Digest)
            renewed = isinstance(self._answer, Digest) and (stale or self._answer.count > 1)
            self._answer = challenge
            return renewed or not known
        # Old cameras refuse without saying what they want; then it is Basic.
        offered = not offers.strip() or any(name == "basic" for name, _ in _challenges(offers))
        if offered and self._scheme == "auto" and self._answer != "basic":
            self._answer = "basic"
            return True
        return False

    def forget(self) -> None:
        """Forget the challenge, because its answer was refused."""
        self._answer = "basic" if self._scheme == "basic" else "none"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _digest_of(offers: str) -> tuple[Digest, bool] | None:
    """The strongest Digest challenge we can answer, and whether it says the nonce was old."""
    best: tuple[Digest, bool] | None = None
    for name, fields in _challenges(offers):
        algorithm = fields.get("algorithm", "MD5")
        qops = [qop.strip().lower() for qop in fields.get("qop", "").split(",") if qop.strip()]
        if name != "digest" or algorithm.upper().removesuffix("-SESS") not in _HASHERS:
            continue
        if "nonce" not in fields or (qops and "auth" not in qops):
            continue
        digest = Digest(
            fields.get("realm", ""),
            fields["nonce"],
            algorithm,
            "auth" if qops else "",
            fields.get("opaque"),
        )
        if best is None or digest.algorithm.upper().startswith("SHA"):
            best = digest, fields.get("stale", "").lower() == "true"
    return best


def _challenges(offers: str) -> list[tuple[str, dict[str, str]]]:
    """The challenges in one ``WWW-Authenticate`` value, which may hold several."""
    found: list[tuple[str, list[str]]] = []
    for item in _split(offers):
        head = item.split("=", 1)[0].split()
        if len(head) == 2 or "=" not in item:
            found.append((head[0].lower(), []))
            item = item.split(None, 1)[1] if len(head) == 2 else ""
        if found and "=" in item:
            found[-1][1].append(item)
    return [(name, dict(_pair(item) for item in items)) for name, items in found]


def _pair(item: str) -> tuple[str, str]:
    key, _, value = item.partition("=")
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    return key.strip().lower(), value


def _split(text: str) -> list[str]:
    """The comma-separated items of a header; commas inside quotes are text."""
    items, item, quoted, escaped = [], "", False, False
    for character in text:
        if character == "," and not quoted:
            items.append(item.strip())
            item = ""
            continue
        if character == '"' and not escaped:
            quoted = not quoted
        escaped = character == "\\" and quoted and not escaped
        item += character
    items.append(item.strip())
    return [item for item in items if item]
